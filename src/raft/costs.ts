import type { LogIndex } from '../shared/index.ts';
import { next } from './indexes.ts';
import type { RaftState } from './state.ts';

/** What an entry counts for against the bound, so that empty ones are bounded too. */
const ENTRY_OVERHEAD_BYTES = 32;

export const costOf = (payloadBytes: number): number => payloadBytes + ENTRY_OVERHEAD_BYTES;

/** Cost of the entries above `from` up to `to`. */
export function costBetween(state: RaftState, from: LogIndex, to: LogIndex): number {
  let cost = 0;
  for (let index = next(from); index <= to; index = next(index)) {
    cost += costOf(state.log.bytesAt(index));
  }
  return cost;
}
