import type { LogIndex } from '../../shared/index.ts';

/** The digest of the state right after the entry at `index`. */
export interface DigestMark {
  readonly index: LogIndex;
  readonly digest: number;
}

const marksMax = 8;
const standardEvery = 10_000;

/** Digests of the state at every n-th entry, the newest few: what nodes compare. */
export class DigestMarks {
  readonly #every: number;
  #marks: readonly DigestMark[] = [];

  constructor(everyEntries = standardEvery) {
    this.#every = everyEntries;
  }

  /** Right after the entry at `index` was applied. */
  note(index: LogIndex, digest: () => number): void {
    if (index % this.#every !== 0) return;
    this.#marks = [...this.#marks, { index, digest: digest() }].slice(-marksMax);
  }

  get newest(): DigestMark | null {
    return this.#marks.at(-1) ?? null;
  }

  at(index: LogIndex): DigestMark | null {
    return this.#marks.find((mark) => mark.index === index) ?? null;
  }

  /** Another state took the place of the one that was noted. */
  clear(): void {
    this.#marks = [];
  }
}
