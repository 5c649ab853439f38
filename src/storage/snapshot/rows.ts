import type { KvRow } from '../kv/kv.ts';
import { damaged, encodeFrame, viewOf } from './frame.ts';
import type { Frame } from './frame.ts';

const ROW_HEAD_BYTES = 8;

export interface Chunk {
  /** The whole frame. */
  readonly bytes: Uint8Array;
  readonly rowCount: number;
}

/** Gathers rows into chunk frames. Each row: key length u32, value length u32, key, value. */
export class ChunkBuilder {
  readonly #chunkBytes: number;
  #number = 1;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  #rowCount = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /** The next chunk when this row fills it, else null. A row is never split. */
  add({ row, value }: KvRow): Chunk | null {
    const head = Buffer.allocUnsafe(ROW_HEAD_BYTES);
    head.writeUInt32LE(row.length, 0);
    head.writeUInt32LE(value.length, 4);
    this.#parts.push(head, row, value);
    this.#bytes += ROW_HEAD_BYTES + row.length + value.length;
    this.#rowCount++;
    return this.#bytes >= this.#chunkBytes ? this.takeRest() : null;
  }

  /** What is left, as a chunk; null when nothing is. */
  takeRest(): Chunk | null {
    if (this.#rowCount === 0) return null;
    const rowCount = this.#rowCount;
    const bytes = encodeFrame({ kind: 'rows', number: this.#number, rowCount }, this.#parts);
    this.#number++;
    this.#parts = [];
    this.#bytes = 0;
    this.#rowCount = 0;
    return { bytes, rowCount };
  }
}

/** The rows of a chunk, as views. Throws STORAGE_DAMAGED. */
export function decodeRows({ number, rowCount, body }: Frame): readonly KvRow[] {
  const view = viewOf(body);
  const rows: KvRow[] = [];
  let at = 0;
  while (at < body.length) {
    if (at + ROW_HEAD_BYTES > body.length) throw damaged(`chunk ${number}`, 'a row is cut off');
    const rowEnd = at + ROW_HEAD_BYTES + view.getUint32(at, true);
    const end = rowEnd + view.getUint32(at + 4, true);
    if (end > body.length) throw damaged(`chunk ${number}`, 'a row is cut off');
    rows.push({
      row: body.subarray(at + ROW_HEAD_BYTES, rowEnd),
      value: body.subarray(rowEnd, end),
    });
    at = end;
  }
  if (rows.length !== rowCount) {
    throw damaged(`chunk ${number}`, `${rows.length} rows in place of ${rowCount}`);
  }
  return rows;
}
