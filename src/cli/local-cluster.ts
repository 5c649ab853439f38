import { existsSync } from 'node:fs';
import { get } from 'node:http';
import { join } from 'node:path';
import { localDataDirectory } from './local-data.ts';
import { LocalNode } from './local-node.ts';
import type { LocalClusterOptions } from './local-node.ts';

const askAgainMs = 100;
const askTimeoutMs = 2_000;

/** Runs the cluster until `stopRequested` resolves; returns the exit code. */
export async function runLocalCluster(
  options: LocalClusterOptions,
  stopRequested: Promise<unknown>,
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
