import type { KvRow } from '../kv/kv.ts';
import { CHECKSUM_BYTES, damaged, FRAME_HEAD_BYTES, sealFrame, viewOf } from './frame.ts';
import type { Frame } from './frame.ts';

const ROW_HEAD_BYTES = 8;

export interface Chunk {
  /** The whole frame. */
  readonly bytes: Uint8Array;
  readonly rowCount: number;
}

/** Beyond a full chunk, for the row that fills it; a larger one makes the frame grow. */
const LAST_ROW_BYTES = 16 * 1024;
/** Before the first row of a chunk. */
const noFrame = Buffer.alloc(0);

/**
 * Gathers rows into chunk frames. Each row: key length u32, value length u32, key, value. Rows are
 * copied at once: kept by the thousand until the chunk is full, they would outlive their generation
 * of the heap.
 */
export class ChunkBuilder {
  readonly #chunkBytes: number;
  #number = 1;
  #frame = noFrame;
  /** Of the rows, in the frame. */
  #end = FRAME_HEAD_BYTES;
  #rowCount = 0;

  constructor(chunkBytes: number) {
    this.#chunkBytes = chunkBytes;
  }

  /** The next chunk when this row fills it, else null. A row is never split. */
  add({ row, value }: KvRow): Chunk | null {
    const start = this.#reserve(ROW_HEAD_BYTES + row.length + value.length);
    const frame = this.#frame;
    frame.writeUInt32LE(row.length, start);
    frame.writeUInt32LE(value.length, start + 4);
    frame.set(row, start + ROW_HEAD_BYTES);
    frame.set(value, start + ROW_HEAD_BYTES + row.length);
    this.#rowCount++;
    return this.#end - FRAME_HEAD_BYTES >= this.#chunkBytes ? this.takeRest() : null;
  }

  /** What is left, as a chunk; null when nothing is. */
  takeRest(): Chunk | null {
    if (this.#rowCount === 0) return null;
    const rowCount = this.#rowCount;
    const frame = this.#frame.subarray(0, this.#end + CHECKSUM_BYTES);
    const bytes = sealFrame({ kind: 'rows', number: this.#number, rowCount }, frame);
    this.#number++;
    this.#frame = noFrame;
    this.#end = FRAME_HEAD_BYTES;
    this.#rowCount = 0;
    return { bytes, rowCount };
  }

  /** Room for so many bytes behind the rows; where it begins. */
  #reserve(bytes: number): number {
    const start = this.#end;
    if (start + bytes + CHECKSUM_BYTES > this.#frame.length) this.#enlarge(bytes);
    this.#end = start + bytes;
    return start;
  }

  #enlarge(rowBytes: number): void {
    const lastRowBytes = Math.max(rowBytes, LAST_ROW_BYTES);
    const bytes = FRAME_HEAD_BYTES + this.#chunkBytes + lastRowBytes + CHECKSUM_BYTES;
    const larger = Buffer.allocUnsafeSlow(bytes);
    larger.set(this.#frame.subarray(0, this.#end));
    this.#frame = larger;
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
