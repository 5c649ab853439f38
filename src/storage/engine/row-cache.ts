/** What an entry costs beside its bytes: buffer, map entry and key. */
const ENTRY_BYTES = 256;

interface Generation {
  readonly rows: Map<string, Uint8Array>;
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
    const value = this.#young.rows.get(key);
    if (value !== undefined) return value;
    const older = this.#old.rows.get(key);
    if (older !== undefined) this.set(key, older);
    return older;
  }

  /** A row larger than half of the cache is not kept. */
  set(key: string, value: Uint8Array): void {
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

  delete(key: string): void {
    for (const generation of [this.#young, this.#old]) {
      const value = generation.rows.get(key);
      if (value === undefined) continue;
      generation.rows.delete(key);
      generation.bytes -= costOf(key, value);
    }
  }
}

const costOf = (key: string, value: Uint8Array): number => ENTRY_BYTES + key.length + value.length;
