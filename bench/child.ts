import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** Everything that this run started and that may still live. */
const living = new Set<ChildProcess>();

process.on('exit', () => {
  for (const child of living) child.kill('SIGKILL');
});
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1));

/** A server process of its own; what it says goes to a file. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly #logPath: string;
  readonly ended: Promise<void>;

  constructor(command: readonly string[], logPath: string) {
    const [program = '', ...args] = command;
    const log = openSync(logPath, 'a');
    this.#logPath = logPath;
    this.#child = spawn(program, args, { stdio: ['ignore', log, log] });
    closeSync(log);
    this.ended = endOf(this.#child);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** Throws with the end of its log when the process is gone. */
  assertAlive(): void {
    if (living.has(this.#child)) return;
    const log = readFileSync(this.#logPath, 'utf8').slice(-2000);
    throw new Error(`Cannot go on: ${this.#child.spawnfile} has ended, it said\n${log}`);
  }

  kill(): Promise<void> {
    this.#child.kill('SIGKILL');
    return this.ended;
  }

  /** SIGTERM, and after 15 s SIGKILL. */
  async stop(): Promise<void> {
    this.#child.kill('SIGTERM');
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.ended;
    clearTimeout(timer);
  }
}

function endOf(child: ChildProcess): Promise<void> {
  living.add(child);
  return new Promise((resolve, reject) => {
    child.once('error', (error) => {
      living.delete(child);
      reject(error);
    });
    child.once('exit', () => {
      living.delete(child);
      resolve();
    });
  });
}

/** Runs a program to its end; its standard output. Rejects unless it ends well. */
export async function outputOf(command: readonly string[]): Promise<string> {
  const [program = '', ...args] = command;
  const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (errors += chunk.toString()));
  await endOf(child);
  if (child.exitCode === 0) return output;
  throw new Error(`Cannot run ${command.join(' ')}: it ended with ${child.exitCode}, ${errors}`);
}
