import type { Entry, LogStore } from '../../raft/index.ts';
import type { LogIndex, Term } from '../../shared/index.ts';
import { asIndex, assert } from '../../shared/index.ts';
import type { CommandBatch, CommandResult, Notice, RowOf } from '../../store/index.ts';
import { decodeBatch } from '../../store/index.ts';
import { decodeConfiguration } from '../../wire/index.ts';
import type { AppliedHistory } from './applied-history.ts';
import type { DigestMarks } from './digest-marks.ts';
import type { EntryCache } from './entry-cache.ts';
import type { ReplicaState } from './state.ts';

/** Entries applied between two looks at the world. */
const chunkEntries = 64;
const chunkBytes = 4 * 1024 * 1024;

/** What became of a proposed entry. lost: surely not committed. unknown: it may be. */
export type Outcome =
  | { readonly kind: 'applied'; readonly results: readonly CommandResult[] }
  | { readonly kind: 'lost' }
  | { readonly kind: 'unknown' };

interface Waiter {
  readonly term: Term;
  readonly resolve: (outcome: Outcome) => void;
}

interface IndexWaiter {
  readonly index: LogIndex;
  readonly resolve: () => void;
}

/** A command that needs rows, not all of them in memory. */
interface Unloaded {
  readonly entry: Entry;
  readonly batch: CommandBatch;
  readonly rows: readonly Uint8Array[];
}

export interface ApplierInit {
  readonly log: LogStore;
  readonly cache: EntryCache;
  readonly history: AppliedHistory;
  readonly marks: DigestMarks;
  readonly onApplied: (index: LogIndex) => void;
  readonly onNotices: (notices: readonly Notice[]) => void;
  readonly onFatal: (error: unknown) => void;
}

/** Applies committed entries in order and answers those who wait for them. */
export class Applier {
  readonly #init: ApplierInit;
  readonly #waiters = new Map<LogIndex, Waiter>();
  #indexWaiters: IndexWaiter[] = [];
  #state: ReplicaState;
  #target: LogIndex;
  #isRunning = false;
  #paused = false;
  #failed = false;
  #whenIdle: (() => void)[] = [];

  constructor(init: ApplierInit, state: ReplicaState) {
    this.#init = init;
    this.#state = state;
    this.#target = state.machine.appliedIndex;
  }

  get state(): ReplicaState {
    return this.#state;
  }

  get appliedIndex(): LogIndex {
    return this.#state.machine.appliedIndex;
  }

  /** Entries up to `index` may be applied. */
  applyUpTo(index: LogIndex): void {
    if (index <= this.#target) return;
    this.#target = index;
    this.#kick();
  }

  /** The outcome of the entry at `index`, if it is still the one of `term` when it applies. */
  expect(index: LogIndex, term: Term, resolve: (outcome: Outcome) => void): void {
    // The earlier entry is gone from this log, but another node that has it may lead next.
    this.#waiters.get(index)?.resolve({ kind: 'unknown' });
    this.#waiters.set(index, { term, resolve });
  }

  /** Calls back once `index` is applied; at once when it is. */
  whenApplied(index: LogIndex, resolve: () => void): void {
    if (index <= this.appliedIndex) resolve();
    else this.#indexWaiters.push({ index, resolve });
  }

  /** Resolves when nothing is being applied, or it failed; nothing more is until `resume`. */
  async pause(): Promise<void> {
    this.#paused = true;
    while (this.#isRunning && !this.#failed) {
      await new Promise<void>((resolve) => this.#whenIdle.push(resolve));
    }
  }

  /** Goes on, with another state after a snapshot install. */
  resume(state: ReplicaState = this.#state): void {
    const replaced = state !== this.#state;
    this.#state = state;
    this.#paused = false;
    if (replaced) this.#skipTo(state.machine.appliedIndex);
    this.#kick();
  }

  /** Everyone who still waits learns that the outcome is unknown. */
  abandon(): void {
    for (const waiter of this.#waiters.values()) waiter.resolve({ kind: 'unknown' });
    this.#waiters.clear();
  }

  #kick(): void {
    if (this.#isRunning || this.#paused || this.#target <= this.appliedIndex) return;
    this.#isRunning = true;
    void this.#run();
  }

  async #run(): Promise<void> {
    try {
      while (!this.#paused && this.appliedIndex < this.#target) {
        const pending = this.#applyChunk();
        if (pending !== null) await pending;
        if (this.#state.engine.isFull) await this.#state.engine.drained();
      }
    } catch (error) {
      // #isRunning stays set: nothing is applied any more.
      this.#failed = true;
      this.#init.onFatal(error);
    }
    if (!this.#failed) this.#isRunning = false;
    for (const resolve of this.#whenIdle.splice(0)) resolve();
  }

  /** Applies without waiting when entries and rows are in memory; else returns the rest of the work. */
  #applyChunk(): Promise<void> | null {
    const from = asIndex(this.appliedIndex + 1);
    const to = asIndex(Math.min(this.#target, this.appliedIndex + chunkEntries));
    const entries = this.#init.cache.range(from, to);
    if (entries === null) return this.#readAndApply(from, to);
    return this.#applyAll(entries);
  }

  async #readAndApply(from: LogIndex, to: LogIndex): Promise<void> {
    const entries = await this.#init.log.read(from, to, chunkBytes);
    assert(entries.length > 0, `Entry ${from} is committed and in the log`);
    await this.#applyAll(entries);
  }

  /** Ends early when the engine is full: nothing bounds the rows of a chunk but this. */
  #applyAll(entries: readonly Entry[]): Promise<void> | null {
    for (let i = 0; i < entries.length && !this.#state.engine.isFull; i++) {
      const entry = entries[i];
      if (entry === undefined) continue;
      if (entry.kind !== 'command') {
        this.#pass(entry);
        continue;
      }
      const batch = decodeBatch(entry.payload);
      const rows = this.#state.machine.requiredRows(batch);
      if (rows.some((row) => this.#peek(row) === undefined)) {
        return this.#loadAndApply({ entry, batch, rows }, entries.slice(i + 1));
      }
      this.#apply(entry, batch, this.#peek);
    }
    this.#finishChunk();
    return null;
  }

  /** Holds all rows, also those in memory: reads may turn the cache over while others are loaded. */
  async #loadAndApply({ entry, batch, rows }: Unloaded, rest: readonly Entry[]): Promise<void> {
    const { engine } = this.#state;
    const values = await engine.readMany(rows);
    const loaded = new Map<string, Uint8Array>();
    for (const [i, row] of rows.entries()) {
      const value = values[i];
      if (!value) throw engine.missing(row);
      loaded.set(rowName(row), value);
    }
    this.#apply(entry, batch, (row) => loaded.get(rowName(row)));
    await this.#applyAll(rest);
  }

  readonly #peek: RowOf = (row) => this.#state.engine.peek(row);

  #apply(entry: Entry, batch: CommandBatch, rowOf: RowOf): void {
    const { machine, engine } = this.#state;
    const outcome = machine.apply(entry.index, batch, rowOf);
    engine.enqueue(entry.index, outcome.writes, machine.digest());
    this.#init.history.record(entry, null);
    this.#init.marks.note(entry.index, () => machine.digest());
    this.#answer(entry, outcome.results);
    if (outcome.notices.length > 0) this.#init.onNotices(outcome.notices);
  }

  /** An entry that is no command changes nothing but who the members are. */
  #pass(entry: Entry): void {
    const { index, kind, payload } = entry;
    const { machine, engine } = this.#state;
    engine.enqueue(index, machine.advance(index), machine.digest());
    const configuration =
      kind === 'configuration' ? { index, configuration: decodeConfiguration(payload) } : null;
    this.#init.history.record(entry, configuration);
    this.#init.marks.note(index, () => machine.digest());
    this.#answer(entry, []);
  }

  #answer(entry: Entry, results: readonly CommandResult[]): void {
    const waiter = this.#waiters.get(entry.index);
    if (waiter === undefined) return;
    this.#waiters.delete(entry.index);
    waiter.resolve(waiter.term === entry.term ? { kind: 'applied', results } : { kind: 'lost' });
  }

  #finishChunk(): void {
    const applied = this.appliedIndex;
    if (this.#indexWaiters.length > 0) {
      const ready = this.#indexWaiters.filter((waiter) => waiter.index <= applied);
      this.#indexWaiters = this.#indexWaiters.filter((waiter) => waiter.index > applied);
      for (const waiter of ready) waiter.resolve();
    }
    this.#init.onApplied(applied);
  }

  #skipTo(index: LogIndex): void {
    if (index > this.#target) this.#target = index;
    for (const [at, waiter] of this.#waiters) {
      if (at > index) continue;
      this.#waiters.delete(at);
      waiter.resolve({ kind: 'unknown' });
    }
    this.#finishChunk();
  }
}

const rowName = (row: Uint8Array): string => String.fromCharCode(...row);
