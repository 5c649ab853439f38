import type { CommandResult, Envelope } from '../../../src/store/index.ts';
import type { Store } from './harness.ts';
import { envelope, put } from './harness.ts';

export const minuteMs = 60_000;
export const hourMs = 60 * minuteMs;

/** A write of its own value, so that it shows whether it was carried out. */
export const request = (
  session: string,
  sequence: number,
  fields: Partial<Envelope> = {},
): Envelope =>
  envelope({ session, sequence, then: [put('key', `${session} ${sequence}`)], ...fields });

export const ask = (store: Store, session: string, sequence: number): CommandResult =>
  store.runEnvelope(request(session, sequence));

/** This long, with a write of somebody else every minute. */
export function pass(store: Store, ms: number): void {
  for (let left = ms; left > 0; left -= minuteMs) {
    store.timeMs += Math.min(left, minuteMs);
    store.must(put('passing', `until ${store.timeMs}`));
  }
}

/** How many ids the rows remember as expired. */
export const expiredRowsOf = (store: Store): number =>
  [...store.rows.values()].filter(({ row }) => row[0] === 8).length;

export const codeOf = (result: CommandResult): string => (result.ok ? 'ok' : result.code);
