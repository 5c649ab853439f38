import { assert } from '../shared/index.ts';
import type { KeyId } from './decision-types.ts';

/** Scrambles a key's number so that neighbours land far apart (finalizer of MurmurHash3). */
function scramble(keyId: number): number {
  let hash = (keyId ^ Math.floor(keyId / 0x1_0000_0000)) >>> 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

/** When inside each interval a key is due, in [0, intervalMs): runs spread evenly over it. */
export function phaseOf(keyId: KeyId, intervalMs: number): number {
  assert(intervalMs > 0, `An interval must be above 0 ms, got ${intervalMs}`);
  return Math.floor((scramble(keyId) / 0x1_0000_0000) * intervalMs);
}
