/** What an entry costs beside its bytes: buffer, map entry and key. */
const ENTRY_BYTES = 256;
/** Values up to here are kept as strings: a buffer of its own costs ten times as much to make. */
const TEXT_BYTES_MAX = 1024;

/** A copy of a value; a string holds one byte per character. */
type Kept = Uint8Array | string;

interface Generation {
  readonly rows: Map<string, Kept>;
  bytes: number;
}

const emptyGeneration = (): Generation => ({ rows: new Map(), bytes: 0 });

/**
 * Rows that were used lately, bounded by bytes. Two generations: a used row moves to the young one;
 * when that has half the bytes it becomes the old one, and what nobody used meanwhile is gone. (One
 * Map in order of use would be slow: finding its oldest entry walks over all that were deleted.)
 */
export class RowCache {
  readonly #generationBytesMax: number;
  #young = emptyGeneration();
  #old = emptyGeneration();

  constructor(bytesMax: number) {
    this.#generationBytesMax = Math.floor(bytesMax / 2);
  }

  get bytes(): number {
    return this.#young.bytes + this.#old.bytes;
  }

  get(key: string): Uint8Array | undefined {
    const young = this.#young.rows.get(key);
    if (young !== undefined) return bytesOf(young);
    const old = this.#old.rows.get(key);
    if (old === undefined) return undefined;
    this.#set(key, old);
    return bytesOf(old);
  }

  /** Keeps a copy. A row larger than half of the cache is not kept. */
  set(key: string, value: Uint8Array): void {
    if (ENTRY_BYTES + value.length > this.#generationBytesMax) this.delete(key);
    else this.#set(key, keptOf(value));
  }

  delete(key: string): void {
    remove(this.#young, key);
    remove(this.#old, key);
  }

  #set(key: string, value: Kept): void {
    this.delete(key);
    const cost = costOf(key, value);
    if (cost > this.#generationBytesMax) return;
    if (this.#young.bytes + cost > this.#generationBytesMax) {
      this.#old = this.#young;
      this.#young = emptyGeneration();
    }
    this.#young.rows.set(key, value);
    this.#young.bytes += cost;
  }
}

function remove(generation: Generation, key: string): void {
  const value = generation.rows.get(key);
  if (value === undefined) return;
  generation.rows.delete(key);
  generation.bytes -= costOf(key, value);
}

function keptOf(value: Uint8Array): Kept {
  if (value.length > TEXT_BYTES_MAX) return new Uint8Array(value);
  return Buffer.from(value.buffer, value.byteOffset, value.length).toString('latin1');
}

const bytesOf = (kept: Kept): Uint8Array =>
  typeof kept === 'string' ? Buffer.from(kept, 'latin1') : kept;

const costOf = (key: string, value: Kept): number => ENTRY_BYTES + key.length + value.length;
