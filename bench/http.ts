/**
 * Requests per second of the HTTP side alone: the real application above a node that answers at
 * once. Usage: `npx tsx bench/http.ts [seconds]`.
 */
import { fork } from 'node:child_process';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { createHttpServer } from '../src/http/index.ts';
import { createMetrics } from '../src/telemetry/index.ts';
import { fakeLogger, fakeNode } from '../test/unit/http/fake-node.ts';

interface LoadResult {
  readonly requests: { readonly average: number };
  readonly latency: { readonly p99: number };
  readonly non2xx: number;
}

/** It comes without types. */
const autocannon = createRequire(import.meta.url)('autocannon') as (
  options: Readonly<Record<string, unknown>>,
) => Promise<LoadResult>;

const cases = [
  { name: 'GET /set', path: '/set?key=service%3Adb&value=10.0.0.1%3A5432' },
  { name: 'POST /set, 512 bytes', path: '/set', body: `key=db&value=${'v'.repeat(512)}` },
  { name: 'GET /get', path: '/get?key=db' },
  { name: 'GET /leader, through the router', path: '/leader' },
];

if (process.send) await serve(process.send.bind(process));
else await measure(Number(process.argv[2] ?? 5));

async function serve(send: (address: string) => void): Promise<void> {
  const { api, pairs, calls } = fakeNode();
  pairs.set('db', '10.0.0.1:5432');
  setInterval(() => calls.splice(0), 100);
  const { http } = createMetrics({ version: 'bench', node: 'bench' });
  const server = createHttpServer({ api, logger: fakeLogger(), metrics: http, version: 'bench' });
  send(await server.start('127.0.0.1:0'));
}

async function measure(seconds: number): Promise<void> {
  const child = fork(fileURLToPath(import.meta.url));
  const address = await new Promise((resolve) => child.once('message', resolve));
  for (const { name, path, body } of cases) {
    const result = await autocannon({
      url: `http://${address as string}${path}`,
      connections: 64,
      duration: seconds,
      ...(body && {
        method: 'POST',
        body,
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
      }),
    });
    const { average } = result.requests;
    const refused = result.non2xx;
    console.log(
      `${name}: ${Math.round(average)} requests/s, p99 ${result.latency.p99} ms, ${refused} refused`,
    );
  }
  child.kill();
}
