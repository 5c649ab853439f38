import { assert } from '../../shared/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';

interface TermRun {
  readonly term: Term;
  readonly firstIndex: LogIndex;
}

/** The term of every entry, as runs: each term with its first index, ascending. */
export class TermRuns {
  #runs: TermRun[] = [];

  get runs(): readonly TermRun[] {
    return [...this.#runs];
  }

  /** Entries are appended in order of index; their terms never fall. */
  append(index: LogIndex, term: Term): void {
    const last = this.#runs.at(-1);
    if (last?.term === term) return;
    assert(!last || last.term < term, `Entry ${index} has term ${term} after ${last?.term ?? 0}`);
    this.#runs.push({ term, firstIndex: index });
  }

  /** Forgets entries at and above `index`. */
  cutFrom(index: LogIndex): void {
    while ((this.#runs.at(-1)?.firstIndex ?? -1) >= index) this.#runs.pop();
  }

  /** Forgets entries below `index`, which is the first that remains. */
  dropBelow(index: LogIndex): void {
    const kept = this.#runs.findLastIndex((run) => run.firstIndex <= index);
    const head = this.#runs[kept];
    if (head) this.#runs = [{ ...head, firstIndex: index }, ...this.#runs.slice(kept + 1)];
  }

  clear(): void {
    this.#runs = [];
  }

  /** The term at `index`, which lies within the runs; null when below them. */
  termAt(index: LogIndex): Term | null {
    return this.#runs.findLast((run) => run.firstIndex <= index)?.term ?? null;
  }
}
