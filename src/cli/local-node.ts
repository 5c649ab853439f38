import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as pause } from 'node:timers/promises';
import { QuorateError } from '../shared/index.ts';
import { localDataDirectory, localNodesMax } from './local-data.ts';

/** A node ends so when its data is damaged: the next start sets it aside and joins anew. */
const startAgainExitCode = 75;
const startsAgainMax = 3;

/** Flags of node N of the cluster on this machine; N counts from 1. */
export function localNodeFlags(n: number, root: string): string[] {
  const others = Array.from({ length: localNodesMax }, (_, i) => i + 1).filter((one) => one !== n);
  const address = (base: number, one: number): string => `127.0.0.1:${base + one}`;
  return [
    `--node=node${n}`,
    `--dataDir=${localDataDirectory(root, n)}`,
    `--http=${address(5999, n)}`,
    `--raft=${address(6999, n)}`,
    `--gossip=${address(7999, n)}`,
    `--join=${others.map((one) => address(5999, one)).join(',')}`,
    `--gossipJoin=${others.map((one) => address(7999, one)).join(',')}`,
    `--verificationScript=${shellWord(join(root, 'scripts', 'verify.sh'))}`,
    `--notificationScript=${shellWord(join(root, 'scripts', 'notify.sh'))}`,
    '--verifyInterval=2',
    '--eventHold=0',
    '--eventInterval=10',
    '--profile=local',
    ...(n === 1 ? ['--bootstrap'] : []),
  ];
}

const shellWord = (text: string): string => `'${text.replaceAll("'", `'\\''`)}'`;

export interface LocalClusterOptions {
  readonly nodes: number;
  /** The checkout: data goes below it, scripts come from it. */
  readonly root: string;
  /** Flags for every node; they win over the cluster's own. */
  readonly extraFlags: readonly string[];
  /** How to start `quorate`: program and first arguments. */
  readonly launch: readonly string[];
  readonly write: (line: string) => void;
  /** How long a node that was killed stays away. */
  readonly awayMs: number;
}

/** How a process ended. */
type End = number | NodeJS.Signals;

/** A node that is started again when it asks for that, and when it was killed. */
export class LocalNode {
  readonly #n: number;
  readonly #options: LocalClusterOptions;
  readonly #stop = new AbortController();
  #child: ChildProcess | null = null;
  #startsAgain = 0;

  constructor(n: number, options: LocalClusterOptions) {
    this.#n = n;
    this.#options = options;
  }

  /** Resolves with the exit code that is final. */
  async run(): Promise<number> {
    for (;;) {
      this.#child = startNode(this.#n, this.#options);
      const end = await ended(this.#child);
      if (this.#stop.signal.aborted || !this.#mayComeBack(end)) return exitCodeOf(end);
      if (!(await this.#comesBack(end))) return 0;
    }
  }

  stop(): void {
    this.#stop.abort();
    this.#child?.kill('SIGTERM');
  }

  #mayComeBack(end: End): boolean {
    return wasKilled(end) || (end === startAgainExitCode && ++this.#startsAgain <= startsAgainMax);
  }

  /** False: the cluster was stopped meanwhile. */
  async #comesBack(end: End): Promise<boolean> {
    const { write, awayMs } = this.#options;
    const { signal } = this.#stop;
    if (!wasKilled(end)) {
      write(`node${this.#n} is started again, to come back as a new incarnation`);
      return true;
    }
    const seconds = awayMs / 1000;
    write(`node${this.#n} was ended by ${end}: the others go on, it comes back in ${seconds} s`);
    await pause(awayMs, null, { signal }).catch(() => undefined);
    return !signal.aborted;
  }
}

/** Not by somebody who stops it: those signals it handles, or handled too late. */
const wasKilled = (end: End): boolean =>
  typeof end === 'string' && end !== 'SIGTERM' && end !== 'SIGINT';

const exitCodeOf = (end: End): number => {
  if (typeof end === 'number') return end;
  return wasKilled(end) ? 1 : 0;
};

function startNode(n: number, options: LocalClusterOptions): ChildProcess {
  const [program, ...before] = options.launch;
  if (program === undefined) throw new QuorateError('CONFIG_INVALID', 'Cannot start: no program');
  const flags = [...localNodeFlags(n, options.root), ...options.extraFlags];
  // Its own process group: a Ctrl-C reaches this process only, which then stops all of them once.
  // The channel: a node stops when this process is gone.
  const child = spawn(program, [...before, 'serve', '--logFormat=pretty', ...flags], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  for (const stream of [child.stdout, child.stderr]) {
    if (stream === null) continue;
    createInterface({ input: stream }).on('line', (line) =>
      options.write(`node${n} | ${line.replace(`[node${n}] `, '')}`),
    );
  }
  return child;
}

function ended(child: ChildProcess): Promise<End> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code, signal) => resolve(code ?? signal ?? 1));
  });
}
