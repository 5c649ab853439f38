import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { outputOf } from './child.ts';
import type { Kind, Product, Request } from './system.ts';

/** What a load generator saw. */
export interface LoadResult {
  readonly perSecond: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Answers that were no success, and broken connections. */
  readonly failures: number;
}

export interface Load {
  readonly http: string;
  readonly connections: number;
  readonly seconds: number;
  /** What `requestFile` returned. */
  readonly requests: string;
}

const keyCount = 1000;
/** No write finds the value that it brings. */
const valuesPerKey = 4;
const key = (i: number): string => `service-${String(i % keyCount).padStart(4, '0')}`;
const value = (i: number): string => `${i}.`.padEnd(128, 'v');
const pathOf = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

/** wrk costs the servers less of the machine than a generator that runs on Node.js. */
export const generator = hasWrk() ? 'wrk' : 'autocannon';

function hasWrk(): boolean {
  try {
    execFileSync('wrk', ['-v'], { stdio: 'ignore' });
    return true;
  } catch (error) {
    // It is there, but its version flag ends with 1.
    return (error as NodeJS.ErrnoException).code !== 'ENOENT';
  }
}

/** Writes the requests of a load over all keys into a file and returns its path. */
export function requestFile(directory: string, product: Product, kind: Kind): string {
  const path = `${directory}/${kind.replace(' ', '-')}.requests`;
  const requests = Array.from({ length: keyCount * valuesPerKey }, (_, i) =>
    product.request(kind, { key: key(i), value: value(i) }),
  );
  writeFileSync(path, generator === 'wrk' ? forWrk(requests) : JSON.stringify(requests));
  return path;
}

/** Method, path and body in one line each. */
const forWrk = (requests: readonly Request[]): string =>
  requests.map(({ method, path, body }) => `${method}\n${path}\n${body}\n`).join('');

export async function runLoad(load: Load): Promise<LoadResult> {
  const { connections, seconds, http, requests } = load;
  const url = `http://${http}`;
  const text = await outputOf(
    generator === 'wrk'
      ? ['wrk', '-t1', `-c${connections}`, `-d${seconds}s`, '-s', pathOf('wrk.lua'), url, requests]
      : [process.execPath, pathOf('autocannon.mjs'), url, `${connections}`, `${seconds}`, requests],
  );
  const line = text.split('\n').find((one) => one.startsWith('{'));
  if (line === undefined) throw new Error(`Cannot read what ${generator} says: ${text}`);
  return JSON.parse(line) as LoadResult;
}
