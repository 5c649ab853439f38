import type { Entry, HardState, LogBase } from '../../raft/index.ts';
import { asIndex, assert, firstOf } from '../../shared/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import type { LogHead } from './bodies.ts';
import { RecordIndex } from './record-index.ts';
import type { RecordLocation } from './record-index.ts';
import { TermRuns } from './term-runs.ts';

/**
 * What the records say so far: the same rules when they are written and when they are read again.
 * Between a segment's header and the first base record after it, entries may be missing at the
 * front while older segments are gone; recovery checks at the end that the base covers them.
 */
export class LogState {
  readonly records = new RecordIndex();
  readonly terms = new TermRuns();
  hardState: HardState;
  #base: LogBase;
  #generation: number;
  #lastIndex: LogIndex;
  /** How often entries were replaced or forgotten at the end: readers stop when it moves. */
  #cuts = 0;

  constructor({ hardState, base, generation, lastIndex }: LogHead) {
    this.hardState = hardState;
    this.#base = base;
    this.#generation = generation;
    this.#lastIndex = lastIndex;
  }

  get base(): LogBase {
    return this.#base;
  }

  get generation(): number {
    return this.#generation;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get cuts(): number {
    return this.#cuts;
  }

  get head(): LogHead {
    const { hardState, base, generation, lastIndex } = this;
    return { hardState, base, generation, lastIndex };
  }

  /** Contiguous entries that replace all from the first one's index on; at least one. */
  putEntries(entries: readonly Entry[], location: RecordLocation): void {
    const first = firstOf(entries).index;
    assert(
      this.meets(first),
      `Entry ${first} meets the log ${this.#base.index}..${this.#lastIndex}`,
    );
    if (first <= this.#lastIndex) this.#cuts++;
    this.terms.cutFrom(first);
    for (const { index, term } of entries) this.terms.append(index, term);
    this.records.push(first, location);
    this.#lastIndex = asIndex(first + entries.length - 1);
  }

  /** Entries that begin at `first` leave no gap and cut nothing below the base. */
  meets(first: LogIndex): boolean {
    return first > this.#base.index && first <= this.#lastIndex + 1;
  }

  /** `lastIndex` is the log's last index as before, or base.index when all entries are forgotten. */
  putBase(base: LogBase, generation: number, lastIndex: LogIndex): void {
    const keeps = lastIndex === this.#lastIndex && lastIndex > base.index;
    assert(keeps || lastIndex === base.index, `Last ${lastIndex} fits the base ${base.index}`);
    if (keeps) {
      this.records.dropThrough(base.index, lastIndex);
      this.terms.dropBelow(asIndex(base.index + 1));
    } else {
      this.#cuts++;
      this.records.clear();
      this.terms.clear();
    }
    this.#base = base;
    this.#generation = generation;
    this.#lastIndex = lastIndex;
  }

  /** The term at `index`; null when the log does not hold it. */
  termAt(index: LogIndex): Term | null {
    if (index === this.#base.index) return this.#base.term;
    if (index < this.#base.index || index > this.#lastIndex) return null;
    return this.terms.termAt(index);
  }
}
