import type { Entry } from '../../raft/index.ts';
import type { LogIndex } from '../../shared/index.ts';

/** Rough cost of an entry beside its payload. */
const entryOverheadBytes = 96;

/**
 * The newest entries of the log, so that replication and applying rarely read the disk.
 * Contiguous; bounded by bytes; the newest entry always stays.
 */
export class EntryCache {
  readonly #bytesMax: number;
  /** null: dropped; only before #head. */
  #entries: (Entry | null)[] = [];
  /** Position of the first live entry in #entries. */
  #head = 0;
  #bytes = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  /** Adds entries as the log does: what they overlap is replaced. */
  put(entries: readonly Entry[]): void {
    const first = entries[0];
    if (first === undefined) return;
    this.#truncateFrom(first.index);
    if (this.#length > 0 && this.#lastIndex() + 1 !== first.index) this.clear();
    for (const entry of entries) {
      this.#entries.push(entry);
      this.#bytes += entry.payload.length + entryOverheadBytes;
    }
    this.#evict();
  }

  /** Entries from..to when all of them are here, else null. */
  range(from: LogIndex, to: LogIndex): Entry[] | null {
    const first = this.#entries[this.#head];
    if (!first || from < first.index || to > this.#lastIndex()) return null;
    const start = this.#head + (from - first.index);
    return this.#entries.slice(start, start + (to - from) + 1) as Entry[];
  }

  clear(): void {
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
  }

  get #length(): number {
    return this.#entries.length - this.#head;
  }

  #lastIndex(): number {
    return this.#entries.at(-1)?.index ?? 0;
  }

  #truncateFrom(index: LogIndex): void {
    while (this.#length > 0 && this.#lastIndex() >= index) {
      const entry = this.#entries.pop();
      if (entry) this.#bytes -= entry.payload.length + entryOverheadBytes;
    }
  }

  #evict(): void {
    while (this.#bytes > this.#bytesMax && this.#length > 1) {
      const entry = this.#entries[this.#head];
      if (entry) this.#bytes -= entry.payload.length + entryOverheadBytes;
      this.#entries[this.#head++] = null; // Else its bytes would stay in memory.
    }
    if (this.#head > 1024 && this.#head * 2 > this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
      this.#head = 0;
    }
  }
}
