import type { Entry, IndexedConfiguration, LogBase, RecoveredLog } from '../../raft/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';

interface TermRun {
  readonly term: Term;
  readonly firstIndex: LogIndex;
}

/** Terms and configurations of what was applied: enough to name the base at any applied index. */
export class AppliedHistory {
  #base: LogBase;
  #termRuns: TermRun[];
  #configurations: IndexedConfiguration[];

  constructor(recovered: Pick<RecoveredLog, 'base' | 'termRuns' | 'configurations'>) {
    this.#base = recovered.base;
    this.#termRuns = [...recovered.termRuns];
    this.#configurations = [...recovered.configurations];
  }

  /** The log holds nothing up to here. */
  get baseIndex(): LogIndex {
    return this.#base.index;
  }

  /** Called for each applied entry. Entries recovered from the log may be recorded again. */
  record(entry: Entry, configuration: IndexedConfiguration | null): void {
    this.#forgetFrom(entry.index);
    if (this.#termAt(entry.index) !== entry.term) {
      this.#termRuns.push({ term: entry.term, firstIndex: entry.index });
    }
    if (configuration !== null) this.#configurations.push(configuration);
  }

  baseAt(index: LogIndex): LogBase {
    assert(index >= this.#base.index, `Index ${index} is at or above the base`);
    if (index === this.#base.index) return this.#base;
    const configuration =
      this.#configurations.findLast((candidate) => candidate.index <= index) ??
      this.#base.configuration;
    return { index, term: this.#termAt(index), configuration };
  }

  /** Forgets what is below the new base. */
  rebase(base: LogBase): void {
    this.#base = base;
    const runs = this.#termRuns;
    const current = runs.findLastIndex((run) => run.firstIndex <= base.index + 1);
    if (current > 0) runs.splice(0, current);
    this.#configurations = this.#configurations.filter((one) => one.index > base.index);
  }

  reset(base: LogBase): void {
    this.#base = base;
    this.#termRuns = [];
    this.#configurations = [];
  }

  /** What was recovered above the applied index may have been truncated since. */
  #forgetFrom(index: LogIndex): void {
    const runs = this.#termRuns;
    while ((runs.at(-1)?.firstIndex ?? 0) >= index) runs.pop();
    const configurations = this.#configurations;
    while ((configurations.at(-1)?.index ?? 0) >= index) configurations.pop();
  }

  #termAt(index: LogIndex): Term {
    return this.#termRuns.findLast((run) => run.firstIndex <= index)?.term ?? this.#base.term;
  }
}
