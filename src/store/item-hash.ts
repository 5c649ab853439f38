import { crc32c } from '../shared/index.ts';

/**
 * Hashes of single items of the state. The state's digest is the sum of them, so it can be kept up to
 * date while items come and go, and does not depend on their order. An unsigned 32-bit number each.
 */

const START = 0x2545_f491;

/** Mixes one integer of up to 2^53 into a hash. */
export function mixed(hash: number, value: number): number {
  const low = Math.imul(hash ^ (value | 0), 0x9e37_79b1);
  const high = Math.imul(low ^ (low >>> 15) ^ (value / 0x1_0000_0000), 0x7feb_352d);
  return (high ^ (high >>> 13)) >>> 0;
}

/** Of some integers in this order. */
export function hashOfNumbers(...values: readonly number[]): number {
  let hash = START;
  for (const value of values) hash = mixed(hash, value);
  return hash;
}

/** Of the UTF-16 units of a text. */
export function hashOfText(text: string): number {
  let hash = mixed(START, text.length);
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x9e37_79b1);
    hash ^= hash >>> 15;
  }
  return mixed(hash, 0);
}

/** Of a row and its value. */
export const hashOfRow = (row: Uint8Array, value: Uint8Array): number =>
  mixed(START, crc32c(value, crc32c(row)));

/** 53 bits of a text, for looking it up without keeping it. */
export function longHashOfText(text: string): number {
  let low = 0x811c_9dc5;
  for (let i = 0; i < text.length; i++) low = Math.imul(low ^ text.charCodeAt(i), 0x0100_0193);
  return (hashOfText(text) & 0x1f_ffff) * 0x1_0000_0000 + (low >>> 0);
}
