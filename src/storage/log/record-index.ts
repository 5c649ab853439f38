import { assert } from '../../shared/index.ts';
import { BLOCK_BYTES } from './settings.ts';

/** Where a record with entries lies. */
export interface RecordLocation {
  readonly sequence: number;
  readonly offset: number;
  /** In whole blocks. */
  readonly bytes: number;
}

/**
 * Which record holds which entries, in 24 bytes per record: a record begins at its first index and
 * ends before the next one's. (One write of a batch is one record, so this is the compact way.)
 */
export class RecordIndex {
  #first = new Float64Array(1024);
  #sequence = new Float64Array(1024);
  #block = new Uint32Array(1024);
  #blocks = new Uint32Array(1024);
  /** Live records are [start, end). */
  #start = 0;
  #end = 0;

  /** Index of the first entry in any record, or null. */
  get firstIndex(): number | null {
    return this.#start === this.#end ? null : at(this.#first, this.#start);
  }

  /** Oldest segment with a live record, or null. */
  get firstSequence(): number | null {
    return this.#start === this.#end ? null : at(this.#sequence, this.#start);
  }

  /** The new last record; it replaces all that begins at or above `first`. */
  push(first: number, { sequence, offset, bytes }: RecordLocation): void {
    while (this.#end > this.#start && at(this.#first, this.#end - 1) >= first) this.#end--;
    if (this.#end === this.#first.length) this.#makeRoom();
    this.#first[this.#end] = first;
    this.#sequence[this.#end] = sequence;
    this.#block[this.#end] = offset / BLOCK_BYTES;
    this.#blocks[this.#end] = bytes / BLOCK_BYTES;
    this.#end++;
  }

  /** Forgets records whose entries all lie at or below `index`; `last` is the log's last index. */
  dropThrough(index: number, last: number): void {
    while (this.#start < this.#end && this.#lastOf(this.#start, last) <= index) this.#start++;
  }

  clear(): void {
    this.#start = this.#end = 0;
  }

  /** Position of the record that holds `index`, for `at`; positions hold until the next change. */
  find(index: number): number {
    assert(index >= (this.firstIndex ?? Infinity), `Entry ${index} is in a record`);
    let low = this.#start;
    let high = this.#end - 1;
    while (low < high) {
      const middle = (low + high + 1) >>> 1;
      if (at(this.#first, middle) <= index) low = middle;
      else high = middle - 1;
    }
    return low;
  }

  /** The record at a position and the index behind its last entry (no end for the last record). */
  at(position: number): { readonly location: RecordLocation; readonly next: number } {
    const location = {
      sequence: at(this.#sequence, position),
      offset: at(this.#block, position) * BLOCK_BYTES,
      bytes: at(this.#blocks, position) * BLOCK_BYTES,
    };
    return { location, next: this.#lastOf(position, Infinity) + 1 };
  }

  #lastOf(position: number, last: number): number {
    return position + 1 < this.#end ? at(this.#first, position + 1) - 1 : last;
  }

  #makeRoom(): void {
    const live = this.#end - this.#start;
    const capacity = live > this.#first.length / 2 ? this.#first.length * 2 : this.#first.length;
    const move = <T extends Float64Array | Uint32Array>(from: T, to: T): T => {
      to.set(from.subarray(this.#start, this.#end));
      return to;
    };
    this.#first = move(this.#first, new Float64Array(capacity));
    this.#sequence = move(this.#sequence, new Float64Array(capacity));
    this.#block = move(this.#block, new Uint32Array(capacity));
    this.#blocks = move(this.#blocks, new Uint32Array(capacity));
    this.#start = 0;
    this.#end = live;
  }
}

/** All positions in [start, end) are there. */
const at = (values: Float64Array | Uint32Array, position: number): number =>
  values[position] as number;
