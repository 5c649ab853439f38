/** What an entry costs beside its bytes. */
const ENTRY_BYTES = 128;

/** The most recently used rows, bounded by bytes; the least recently used ones make room. */
export class RowCache {
  readonly #rows = new Map<string, Uint8Array>();
  readonly #bytesMax: number;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get(key: string): Uint8Array | undefined {
    const value = this.#rows.get(key);
    if (value === undefined) return undefined;
    // A Map iterates in the order of insertion: the newest goes to the end.
    this.#rows.delete(key);
    this.#rows.set(key, value);
    return value;
  }

  set(key: string, value: Uint8Array): void {
    this.delete(key);
    if (costOf(key, value) > this.#bytesMax) return;
    this.#rows.set(key, value);
    this.#bytes += costOf(key, value);
    for (const oldest of this.#rows.keys()) {
      if (this.#bytes <= this.#bytesMax) return;
      this.delete(oldest);
    }
  }

  delete(key: string): void {
    const value = this.#rows.get(key);
    if (value === undefined) return;
    this.#rows.delete(key);
    this.#bytes -= costOf(key, value);
  }
}

const costOf = (key: string, value: Uint8Array): number => ENTRY_BYTES + key.length + value.length;
