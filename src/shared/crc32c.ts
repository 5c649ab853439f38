/** Castagnoli polynomial, reflected. */
const POLYNOMIAL = 0x82f63b78;

/** Eight tables, so that the loop takes eight bytes at a time ("slicing by 8"). */
const tables = buildTables();

function buildTables(): Uint32Array {
  const table = new Uint32Array(8 * 256);
  for (let i = 0; i < 256; i++) {
    let crc = i;
    for (let bit = 0; bit < 8; bit++) crc = crc & 1 ? (crc >>> 1) ^ POLYNOMIAL : crc >>> 1;
    table[i] = crc >>> 0;
  }
  for (let slice = 1; slice < 8; slice++) {
    for (let i = 0; i < 256; i++) {
      const previous = at(table, (slice - 1) * 256 + i);
      table[slice * 256 + i] = (at(table, previous & 0xff) ^ (previous >>> 8)) >>> 0;
    }
  }
  return table;
}

function at(values: Uint32Array | Uint8Array, index: number): number {
  return values[index] as number;
}

/**
 * CRC-32C of `bytes`, going on from `seed` (the checksum of what came before, 0 at first).
 * Returns an unsigned 32-bit number. crc32c("123456789") is 0xe3069283.
 */
export function crc32c(bytes: Uint8Array, seed = 0): number {
  let crc = ~seed >>> 0;
  let i = 0;
  for (const end = bytes.length - 7; i < end; i += 8) {
    crc ^=
      at(bytes, i) | (at(bytes, i + 1) << 8) | (at(bytes, i + 2) << 16) | (at(bytes, i + 3) << 24);
    crc =
      at(tables, 1792 + (crc & 0xff)) ^
      at(tables, 1536 + ((crc >>> 8) & 0xff)) ^
      at(tables, 1280 + ((crc >>> 16) & 0xff)) ^
      at(tables, 1024 + (crc >>> 24)) ^
      at(tables, 768 + at(bytes, i + 4)) ^
      at(tables, 512 + at(bytes, i + 5)) ^
      at(tables, 256 + at(bytes, i + 6)) ^
      at(tables, at(bytes, i + 7));
  }
  for (; i < bytes.length; i++) crc = at(tables, (crc ^ at(bytes, i)) & 0xff) ^ (crc >>> 8);
  return ~crc >>> 0;
}
