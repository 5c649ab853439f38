import type { HttpLimits } from './limits.ts';
import type { Params } from './params.ts';
import type { Consistency, KeyQuery } from './ports.ts';
import { paramError, tooLarge } from './refusal.ts';

/** The parameter `name` as text that can be stored: not empty, no NUL. Throws 400. */
export function requiredText(params: Params, name: string): string {
  const text = params.get(name);
  if (text === undefined) throw paramError(`${name} is missing`);
  return storableText(name, text);
}

/** `text` when it is not empty and holds no NUL. Throws 400. */
export function storableText(name: string, text: string): string {
  if (text === '') throw paramError(`${name} is empty`);
  if (text.includes('\0')) throw paramError(`${name} holds a NUL`);
  return text;
}

/** Throws 413 naming the limit. */
export function checkSize(what: string, text: string, bytesMax: number): void {
  // A UTF-16 unit is at most 3 bytes of UTF-8: most texts need no counting.
  if (text.length * 3 <= bytesMax) return;
  const byteCount = Buffer.byteLength(text);
  if (byteCount > bytesMax) throw tooLarge(what, byteCount, bytesMax);
}

type WaitLimits = Pick<HttpLimits, 'waitMsDefault' | 'waitMsMax'>;

/** `timeout=` in seconds, as milliseconds. Throws 400 unless 0 < timeout <= the maximum. */
export function timeoutMsOf(params: Params, limits: WaitLimits): number {
  const text = params.get('timeout');
  if (text === undefined) return limits.waitMsDefault;
  const timeoutMs = /^\d{1,9}(\.\d{1,9})?$/.test(text) ? Math.ceil(Number(text) * 1000) : 0;
  if (timeoutMs > 0 && timeoutMs <= limits.waitMsMax) return timeoutMs;
  throw paramError(`timeout must be above 0 and at most ${limits.waitMsMax / 1000} seconds`);
}

export function consistencyOf(params: Params): Consistency {
  const text = params.get('consistency');
  if (text === undefined || text === 'linearizable') return 'linearizable';
  if (text === 'local') return 'local';
  throw paramError('consistency must be linearizable or local');
}

/** `name=1` or `name=0`; absent is 0. */
export function switchOf(params: Params, name: string): boolean {
  const text = params.get(name);
  if (text === undefined || text === '0') return false;
  if (text === '1') return true;
  throw paramError(`${name} must be 0 or 1`);
}

/** `limit=` from 1 to `limitMax`; absent or empty is `limitDefault`. */
export function limitOf(params: Params, limitDefault: number, limitMax: number): number {
  const text = params.get('limit');
  if (text === undefined || text === '') return limitDefault;
  const limit = /^\d{1,9}$/.test(text) ? Number(text) : 0;
  if (limit >= 1 && limit <= limitMax) return limit;
  throw paramError(`limit must be a whole number from 1 to ${limitMax}`);
}

const keysPerAnswer = { standard: 100, max: 1000 };

/** `prefix=&after=&limit=`: a page of keys. Throws 400. */
export const keyQueryOf = (params: Params): KeyQuery => ({
  prefix: params.get('prefix') ?? '',
  after: params.get('after') ?? '',
  limit: limitOf(params, keysPerAnswer.standard, keysPerAnswer.max),
});

const hostPort = /^(?:\[[0-9A-Fa-f:.]{2,45}\]|[A-Za-z0-9._-]{1,253}):(\d{1,5})$/;

/** Whether `text` is host:port, [IPv6]:port included, with a port from 1 to 65535. */
export function isHostPort(text: string): boolean {
  const port = Number(hostPort.exec(text)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}
