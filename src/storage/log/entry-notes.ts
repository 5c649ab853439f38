import type { Entry, IndexedConfiguration } from '../../raft/index.ts';
import { firstOf } from '../../shared/index.ts';
import { readConfiguration } from './bodies.ts';

/** What the Raft core wants to know of entries at the start, gathered while the log is scanned. */
export class EntryNotes {
  #firstIndex = 0;
  #payloadBytes: number[] = [];
  #configurations: IndexedConfiguration[] = [];

  /** Contiguous entries, at least one; they replace all from the first one's index on. */
  put(entries: readonly Entry[]): void {
    this.#cutFrom(firstOf(entries).index);
    for (const entry of entries) {
      this.#payloadBytes.push(entry.payload.length);
      if (entry.kind === 'configuration') this.#configurations.push(readConfiguration(entry));
    }
  }

  clear(): void {
    this.#cutFrom(0);
  }

  /** Payload bytes of the entries above `baseIndex`. */
  entryBytesAbove(baseIndex: number): readonly number[] {
    return this.#payloadBytes.slice(Math.max(0, baseIndex + 1 - this.#firstIndex));
  }

  configurationsAbove(baseIndex: number): readonly IndexedConfiguration[] {
    return this.#configurations.filter(({ index }) => index > baseIndex);
  }

  #cutFrom(index: number): void {
    this.#payloadBytes.length = Math.min(
      this.#payloadBytes.length,
      Math.max(0, index - this.#firstIndex),
    );
    if (this.#payloadBytes.length === 0) this.#firstIndex = index;
    while ((this.#configurations.at(-1)?.index ?? -1) >= index) this.#configurations.pop();
  }
}
