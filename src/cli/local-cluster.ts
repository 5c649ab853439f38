import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { QuorateError } from '../shared/index.ts';
import { localDataDirectory, localNodesMax } from './local-data.ts';

const askAgainMs = 100;
const askTimeoutMs = 2_000;
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
}

/** Runs the cluster until `stopRequested` resolves; returns the exit code. */
export async function runLocalCluster(
  options: LocalClusterOptions,
  stopRequested: Promise<void>,
): Promise<number> {
  const numbers = Array.from({ length: options.nodes }, (_, i) => i + 1);
  introduce(options);
  const nodes = numbers.map((n) => new LocalNode(n, options));
  const ends = nodes.map((node) => node.run());
  const over = new AbortController();
  void tellWhenReady(numbers, options.write, over.signal);
  const first = await Promise.race([
    stopRequested.then(() => null),
    ...ends.map((end, i) => end.then((code) => ({ code, n: i + 1 }))),
  ]);
  over.abort();
  if (first !== null)
    options.write(`node${first.n} ended with ${first.code}: all nodes are stopped`);
  for (const node of nodes) node.stop();
  const codes = await Promise.all(ends);
  if (first === null) return codes.every((code) => code === 0) ? 0 : 1;
  return first.code === 0 ? 1 : first.code;
}

/** A node that is started again when it asks for that. */
class LocalNode {
  readonly #n: number;
  readonly #options: LocalClusterOptions;
  #child: ChildProcess | null = null;
  #stopped = false;

  constructor(n: number, options: LocalClusterOptions) {
    this.#n = n;
    this.#options = options;
  }

  /** Resolves with the exit code that is final. */
  async run(): Promise<number> {
    for (let startsAgain = 0; ; startsAgain++) {
      this.#child = startNode(this.#n, this.#options);
      const code = await ended(this.#child);
      if (code !== startAgainExitCode || this.#stopped || startsAgain === startsAgainMax)
        return code;
      this.#options.write(`node${this.#n} is started again, to come back as a new incarnation`);
    }
  }

  stop(): void {
    this.#stopped = true;
    this.#child?.kill('SIGTERM');
  }
}

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

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve) => {
    child.once('error', () => resolve(1));
    child.once('exit', (code, signal) => resolve(code ?? (signal === 'SIGTERM' ? 0 : 1)));
  });
}

const urlOf = (n: number): string => `http://127.0.0.1:${5999 + n}`;

function introduce({ nodes, root, write }: LocalClusterOptions): void {
  write(
    `A cluster of ${nodes} nodes starts on this machine; its data is in ${join(root, '.data')}`,
  );
  if (existsSync(localDataDirectory(root, 1))) return;
  write('At first node1 looks for 5 s whether there is a cluster already; then it creates one.');
}

async function tellWhenReady(
  numbers: readonly number[],
  write: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const isReady = await Promise.all(numbers.map((n) => untilReady(n, signal)));
  if (!isReady.every(Boolean)) return;
  const lines = [
    `The cluster is ready: ${numbers.map(urlOf).join(' ')}`,
    'Try, in another terminal:',
    `  curl '${urlOf(1)}/set?key=web&value=127.0.0.1:8080'`,
    `  curl '${urlOf(1)}/get?key=web'`,
    `  curl '${urlOf(1)}/gossipstatus/web'`,
    `  curl '${urlOf(1)}/events?limit=5'`,
    'The first state agreed on is only remembered: stop or start what listens there for an event.',
    'Ctrl-C stops all of it; starting again goes on with the same data.',
  ];
  for (const line of lines) write(line);
}

/** True once node N is ready, false when that does not matter any more. */
async function untilReady(n: number, signal: AbortSignal): Promise<boolean> {
  while (!signal.aborted) {
    if (await answersReady(n)) return true;
    await new Promise((resolve) => setTimeout(resolve, askAgainMs));
  }
  return false;
}

/** Not `fetch`: that refuses port 6000. */
function answersReady(n: number): Promise<boolean> {
  return new Promise((resolve) => {
    const request = get(
      `${urlOf(n)}/readyz`,
      { agent: false, timeout: askTimeoutMs },
      (response) => {
        response.resume();
        resolve(response.statusCode === 200);
      },
    );
    request.once('timeout', () => request.destroy());
    request.once('error', () => resolve(false));
  });
}
