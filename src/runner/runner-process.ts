import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assert, QuorateError } from '../shared/index.ts';
import type { Logger } from '../shared/index.ts';
import { OutputCollector } from './output-collector.ts';
import type { FromRunner, ToRunner } from './messages.ts';

/** How the runner process ended. */
export interface RunnerExit {
  readonly code: number | null;
  readonly signal: string | null;
}

export interface RunnerProcessEvents {
  /** It takes jobs now; called again after each restart. */
  onReady(): void;
  onMessage(message: Exclude<FromRunner, { kind: 'ready' }>): void;
  /** It died unasked; a new one is on its way. */
  onDeath(exit: RunnerExit): void;
}

const restartMsMin = 100;
const restartMsMax = 10_000;
/** A process that lived this long starts the doubling of the wait anew. */
const longLifeMs = 60_000;
const exitMsMax = 2_000;
const diagnosticBytesMax = 4_096;

/** Keeps one runner process alive. */
export class RunnerProcess {
  readonly #logger: Logger;
  readonly #events: RunnerProcessEvents;
  #child: ChildProcess | null = null;
  #isReady = false;
  #restartTimer: NodeJS.Timeout | undefined;
  #restartMs = restartMsMin;
  #stopping = false;
  restarts = 0;

  constructor(logger: Logger, events: RunnerProcessEvents) {
    this.#logger = logger;
    this.#events = events;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** Resolves when the first process is ready; rejects when it cannot be started. */
  start(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#spawn(resolve, (found) => {
        this.#stopping = true;
        reject(new QuorateError('STOPPED', `Cannot start the script runner: ${found}`));
      });
    });
  }

  send(message: ToRunner): void {
    assert(this.#isReady, 'Jobs are sent to a runner that is ready');
    // A send that fails is followed by the child's exit, which settles every job.
    this.#child?.send(message, () => undefined);
  }

  /** Lets go of the process. `idle`: nothing runs in it, so it must be gone soon. */
  async stop(idle: boolean): Promise<void> {
    this.#stopping = true;
    this.#isReady = false;
    clearTimeout(this.#restartTimer);
    const child = this.#child;
    if (!child || hasExited(child)) return;
    const exited = new Promise((resolve) => child.once('exit', resolve));
    if (child.connected) child.disconnect();
    if (!idle) {
      child.stderr?.destroy();
      child.unref();
      return;
    }
    const killer = setTimeout(() => child.kill('SIGKILL'), exitMsMax);
    await exited;
    clearTimeout(killer);
  }

  #spawn(onReady: () => void, onFailure: (found: string) => void): void {
    const child = forkRunner();
    const startedAtMs = performance.now();
    const diagnostics = new OutputCollector(diagnosticBytesMax);
    this.#child = child;
    child.stderr?.on('data', (chunk: Uint8Array) => {
      diagnostics.add(chunk);
    });
    child.on('message', (message: FromRunner) => {
      if (message.kind !== 'ready') this.#events.onMessage(message);
      else {
        this.#isReady = true;
        onReady();
      }
    });
    child.once('error', (error) => {
      if (child.pid === undefined) onFailure(error.message);
    });
    child.once('exit', (code, signal) => {
      const wasReady = this.#isReady;
      this.#isReady = false;
      if (this.#stopping) return;
      const found = `it ended with ${signal ?? code ?? 'an error'}: ${diagnostics.text().trim()}`;
      if (performance.now() - startedAtMs >= longLifeMs) this.#restartMs = restartMsMin;
      if (wasReady) this.#events.onDeath({ code, signal });
      if (!wasReady) onFailure(found);
      else this.#restart(found);
    });
  }

  #restart(found: string): void {
    if (this.#stopping) return;
    const delayMs = this.#restartMs;
    this.#restartMs = Math.min(restartMsMax, delayMs * 2);
    this.#logger.error({ found, delayMs }, `The script runner died and is started again: ${found}`);
    this.#restartTimer = setTimeout(() => {
      this.restarts++;
      this.#spawn(
        () => this.#events.onReady(),
        (again) => {
          this.#restart(again);
        },
      );
    }, delayMs);
  }
}

const hasExited = (child: ChildProcess): boolean =>
  child.pid === undefined || child.exitCode !== null || child.signalCode !== null;

const loaderFlagNames = ['--import', '--require', '-r', '--loader', '--experimental-loader'];

/** The flags that load TypeScript, and no other: `--eval` would run its program again, and fork. */
export function loaderFlags(execArgv: readonly string[]): string[] {
  return execArgv.filter((flag, at) => {
    const [name = ''] = flag.split('=', 1);
    const isValue = at > 0 && loaderFlagNames.includes(execArgv[at - 1] ?? '');
    return isValue || loaderFlagNames.includes(name);
  });
}

/** Runs `runner-main` beside this very file: TypeScript in tests, JavaScript once built. */
function forkRunner(): ChildProcess {
  const extension = extname(new URL(import.meta.url).pathname);
  const file = fileURLToPath(new URL(`./runner-main${extension}`, import.meta.url));
  return fork(file, [], {
    execArgv: extension === '.ts' ? loaderFlags(process.execArgv) : [],
    // Out of the terminal's process group, so that Ctrl-C does not reach it.
    detached: true,
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}
