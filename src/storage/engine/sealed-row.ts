import { crc32c, QuorateError } from '../../shared/index.ts';

const SEAL_BYTES = 4;

/**
 * The stored form of a value: its bytes, then CRC-32C of row key and value (little-endian), so that a
 * value under a wrong key is found too. A buffer of its own: the value may be a view of a large one.
 */
export function seal(row: Uint8Array, value: Uint8Array): Buffer {
  const sealed = Buffer.allocUnsafeSlow(value.length + SEAL_BYTES);
  sealed.set(value);
  sealed.writeUInt32LE(checksum(row, value), value.length);
  return sealed;
}

/** The value of a sealed one, as a view. Throws STORAGE_DAMAGED, naming the row. */
export function unseal(row: Uint8Array, sealed: Uint8Array): Uint8Array {
  const length = sealed.length - SEAL_BYTES;
  if (length < 0) throw damaged(row, `${sealed.length} bytes`);
  const value = valueOf(sealed);
  const stored = new DataView(sealed.buffer, sealed.byteOffset).getUint32(length, true);
  const found = checksum(row, value);
  if (stored !== found) throw damaged(row, `checksum ${hex(found)} in place of ${hex(stored)}`);
  return value;
}

/** The value of a sealed one that this process made or verified itself, as a view. */
export const valueOf = (sealed: Uint8Array): Uint8Array =>
  sealed.subarray(0, sealed.length - SEAL_BYTES);

/** For people: the first bytes of a row key in hexadecimal. */
function rowName(row: Uint8Array): string {
  const shown = Buffer.from(row.subarray(0, SHOWN_BYTES)).toString('hex');
  return row.length > SHOWN_BYTES ? `${shown}... (${row.length} bytes)` : shown;
}

const SHOWN_BYTES = 64;

const checksum = (row: Uint8Array, value: Uint8Array): number => crc32c(value, crc32c(row));

const hex = (checksum: number): string => `0x${checksum.toString(16).padStart(8, '0')}`;

const damaged = (row: Uint8Array, found: string): QuorateError =>
  new QuorateError(
    'STORAGE_DAMAGED',
    `Cannot read row ${rowName(row)} as it was written: ${found}`,
  );
