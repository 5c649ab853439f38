import { assert } from '../shared/index.ts';
import type { LogIndex, Term } from '../shared/index.ts';
import { minIndex, maxIndex, next, plus, previous, ZERO_INDEX } from './indexes.ts';
import type { Entry, HardState, LogBase, PersistBatch, RaftInit } from './types.ts';

interface TermRun {
  readonly term: Term;
  readonly firstIndex: LogIndex;
}

/** A batch on its way to the disk and how much of the present log rests on it. */
interface PendingWrite {
  readonly sequence: number;
  lastIndex: LogIndex;
}

/** Entries first..last of one append message. */
export interface LogRange {
  readonly last: LogIndex;
  readonly bytes: number;
}

/**
 * What the core knows about its log without holding it: terms as runs, sizes, and how far it is
 * durable. Invariant: base.index <= stableIndex <= lastIndex.
 */
export class RaftLog {
  #base: LogBase;
  #runs: TermRun[];
  #bytes: number[];
  #lastIndex: LogIndex;
  #stableIndex: LogIndex;
  #staged: Entry[] = [];
  #pending: PendingWrite[] = [];
  #sequence = 0;

  constructor(init: Pick<RaftInit, 'base' | 'termRuns' | 'entryBytes' | 'lastIndex'>) {
    const { base, lastIndex } = init;
    assert(
      init.entryBytes.length === lastIndex - base.index,
      `Log ${base.index}..${lastIndex} must come with as many sizes, got ${init.entryBytes.length}`,
    );
    this.#base = base;
    this.#runs = [...init.termRuns];
    this.#bytes = [...init.entryBytes];
    this.#lastIndex = lastIndex;
    this.#stableIndex = lastIndex;
  }

  get base(): LogBase {
    return this.#base;
  }

  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get lastTerm(): Term {
    return this.#runs.at(-1)?.term ?? this.#base.term;
  }

  /** Entries up to here are durable and will stay what they are until truncated. */
  get stableIndex(): LogIndex {
    return this.#stableIndex;
  }

  /** Sequence of the newest batch handed out. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Undefined outside base.index..lastIndex. */
  termAt(index: LogIndex): Term | undefined {
    if (index > this.#lastIndex || index < this.#base.index) return undefined;
    if (index === this.#base.index) return this.#base.term;
    return this.#runs[this.#runOf(index)]?.term;
  }

  holds(index: LogIndex, term: Term): boolean {
    return this.termAt(index) === term;
  }

  /** Whether a log that ends at (lastTerm, lastIndex) has all that this one may have committed. */
  isUpToDate(lastTerm: Term, lastIndex: LogIndex): boolean {
    if (lastTerm !== this.lastTerm) return lastTerm > this.lastTerm;
    return lastIndex >= this.#lastIndex;
  }

  /**
   * The highest index up to `index` whose term is at most `term`: both sides skip whole terms that
   * cannot match (Raft 5.3, end). Below the base nothing is known: then less than base.index.
   */
  lastNotAbove(index: LogIndex, term: Term): LogIndex {
    let found = minIndex(index, this.#lastIndex);
    for (let i = this.#runOf(found); i >= 0; i--) {
      const run = this.#runs[i];
      if (run === undefined || run.term <= term) return found;
      found = previous(run.firstIndex);
    }
    if (found < this.#base.index || this.#base.term <= term) return found;
    return previous(found);
  }

  /** The run that holds `index`, or -1 when it lies at or below the base. */
  #runOf(index: LogIndex): number {
    let low = 0;
    let high = this.#runs.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#runs[middle]?.firstIndex ?? 0) <= index) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }

  /** As many entries from `first` as fit into `bytesMax`, one at least. */
  rangeFrom(first: LogIndex, bytesMax: number): LogRange {
    assert(first > this.#base.index, `Entry ${first} must lie above base ${this.#base.index}`);
    assert(first <= this.#lastIndex, `Entry ${first} must exist, last is ${this.#lastIndex}`);
    let last = first;
    let bytes = this.bytesAt(first);
    while (last < this.#lastIndex) {
      const more = this.bytesAt(next(last));
      if (bytes + more > bytesMax) break;
      bytes += more;
      last = next(last);
    }
    return { last, bytes };
  }

  bytesAt(index: LogIndex): number {
    const bytes = this.#bytes[index - this.#base.index - 1];
    assert(bytes !== undefined, `Entry ${index} must lie above base ${this.#base.index}`);
    return bytes;
  }

  append(entry: Entry): void {
    assert(entry.index === this.#lastIndex + 1, `Entry ${entry.index} must follow the last`);
    const { lastTerm } = this;
    assert(entry.term >= lastTerm, `Term ${entry.term} must not go back from ${lastTerm}`);
    const continues = this.#runs.length > 0 && entry.term === lastTerm;
    if (!continues) this.#runs.push({ term: entry.term, firstIndex: entry.index });
    this.#bytes.push(entry.payload.length);
    this.#staged.push(entry);
    this.#lastIndex = entry.index;
  }

  /** Drops entries at and above `index`. Whatever is on its way to the disk counts only below. */
  truncateFrom(index: LogIndex): void {
    assert(index > this.#base.index, `Truncation from ${index} must stay above the base`);
    assert(this.#staged.length === 0, 'Truncation must come before appends of the same step');
    this.#lastIndex = previous(index);
    this.#stableIndex = minIndex(this.#stableIndex, this.#lastIndex);
    for (const write of this.#pending) write.lastIndex = minIndex(write.lastIndex, this.#lastIndex);
    this.#bytes.length = this.#lastIndex - this.#base.index;
    this.#runs = this.#runs.filter((run) => run.firstIndex < index);
  }

  /** Takes what this step appended, with the hard state when it changed; null when neither. */
  takeBatch(hardState: HardState | null): PersistBatch | null {
    const entries = this.#staged;
    if (entries.length === 0 && hardState === null) return null;
    this.#sequence += 1;
    const lastIndex = entries.length > 0 ? this.#lastIndex : ZERO_INDEX;
    this.#pending.push({ sequence: this.#sequence, lastIndex });
    this.#staged = [];
    return { sequence: this.#sequence, ...(hardState && { hardState }), entries };
  }

  /** Batches up to `sequence` are durable. Late or repeated news change nothing. */
  persisted(sequence: number): void {
    assert(sequence <= this.#sequence, `Batch ${sequence} must have been handed out`);
    let done = 0;
    for (const write of this.#pending) {
      if (write.sequence > sequence) break;
      this.#stableIndex = maxIndex(this.#stableIndex, write.lastIndex);
      done += 1;
    }
    if (done > 0) this.#pending.splice(0, done);
  }

  /** Whether the batch with this sequence is durable. */
  isDurable(sequence: number): boolean {
    return (this.#pending[0]?.sequence ?? Infinity) > sequence;
  }

  /** Forgets entries up to base.index. */
  compact(base: LogBase): void {
    const count = base.index - this.#base.index;
    assert(this.holds(base.index, base.term), `Base ${base.index}@${base.term} must be in the log`);
    this.#bytes.splice(0, count);
    const kept = this.#runs.filter((run) => run.firstIndex > base.index);
    const first = plus(base.index, 1);
    const term = this.termAt(first);
    const isCut = term !== undefined && kept[0]?.firstIndex !== first;
    this.#runs = isCut ? [{ term, firstIndex: first }, ...kept] : kept;
    this.#base = base;
    this.#stableIndex = maxIndex(this.#stableIndex, base.index);
  }

  /** Starts again, empty, from an installed snapshot. */
  reset(base: LogBase): void {
    assert(this.#staged.length === 0, 'A snapshot must not be installed over appends of its step');
    this.#base = base;
    this.#runs = [];
    this.#bytes = [];
    this.#lastIndex = base.index;
    this.#stableIndex = base.index;
    for (const write of this.#pending) write.lastIndex = ZERO_INDEX;
  }
}
