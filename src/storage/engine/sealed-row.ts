import { crc32c, QuorateError } from '../../shared/index.ts';
import type { KvWrite } from '../kv/kv.ts';

const SEAL_BYTES = 4;

/**
 * The stored form of a value: its bytes, then CRC-32C of row key and value (little-endian), so that a
 * value under a wrong key is found too.
 */
export function seal(row: Uint8Array, value: Uint8Array): Buffer {
  return sealInto(Buffer.allocUnsafeSlow(value.length + SEAL_BYTES), row, value);
}

/** Writes that are sealed together. */
const PART_ROWS = 64;

/** The writes with their values sealed, some at a time. */
export function* sealed(writes: Iterable<KvWrite>): Generator<KvWrite> {
  let part: KvWrite[] = [];
  for (const write of writes) {
    part.push(write);
    if (part.length < PART_ROWS) continue;
    yield* sealPart(part);
    part = [];
  }
  yield* sealPart(part);
}

/** All in one buffer: one for each would cost much more. */
function sealPart(writes: readonly KvWrite[]): KvWrite[] {
  let size = 0;
  for (const { row, value } of writes) size += row.length + (value ? value.length + SEAL_BYTES : 0);
  const bytes = Buffer.allocUnsafeSlow(size);
  let position = 0;
  const take = (length: number): Buffer => bytes.subarray(position, (position += length));
  return writes.map(({ row, value }) => {
    const copy = take(row.length);
    copy.set(row);
    return {
      row: copy,
      value: value && sealInto(take(value.length + SEAL_BYTES), row, value),
    };
  });
}

function sealInto(sealed: Buffer, row: Uint8Array, value: Uint8Array): Buffer {
  sealed.set(value);
  sealed.writeUInt32LE(checksum(row, value), value.length);
  return sealed;
}

/** The value of a sealed one, as a view. Throws STORAGE_DAMAGED, naming the row. */
export function unseal(row: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.length - SEAL_BYTES;
  if (length < 0) throw damaged(row, `${sealed.length} bytes`);
  const value = sealed.subarray(0, length);
  const stored = new DataView(sealed.buffer, sealed.byteOffset).getUint32(length, true);
  const found = checksum(row, value);
  if (stored !== found) throw damaged(row, `checksum ${hex(found)} in place of ${hex(stored)}`);
  return value;
}

/** For people: the first bytes of a row key in hexadecimal. */
function rowName(row: Uint8Array): string {
  const shown = Buffer.from(row.subarray(0, SHOWN_BYTES)).toString('hex');
  return row.length > SHOWN_BYTES ? `${shown}... (${row.length} bytes)` : shown;
}

const SHOWN_BYTES = 64;

const checksum = (row: Uint8Array, value: Uint8Array): number => crc32c(value, crc32c(row));

const hex = (checksum: number): string => `0x${checksum.toString(16).padStart(8, '0')}`;

export const missingRow = (row: Uint8Array): QuorateError =>
  new QuorateError(
    'STORAGE_DAMAGED',
    `Cannot read row ${rowName(row)}, which the state names: it is not there`,
  );

const damaged = (row: Uint8Array, found: string): QuorateError =>
  new QuorateError(
    'STORAGE_DAMAGED',
    `Cannot read row ${rowName(row)} as it was written: ${found}`,
  );
