import type { EventRecord, KeyHealth, Revision } from '../shared/index.ts';
import { asRevision, assert } from '../shared/index.ts';
import { ProtoWriter } from '../wire/index.ts';
import type { BinaryKey } from './binary.ts';
import { bytesOf } from './binary.ts';
import { encodeEvent } from './codec/event-codec.ts';
import type { KeyFacts } from './codec/row-codec.ts';
import { encodeHealth, encodeMeta } from './codec/row-codec.ts';
import { hashOfRow } from './item-hash.ts';
import type { Slot } from './key-columns.ts';
import { isOpen } from './ledger.ts';
import { eventRow, healthRow, metaRow, valueRow } from './rows.ts';
import type { State } from './state.ts';
import type { Notice, RowWrite } from './types.ts';

/** A row of the state before the batch, from memory. */
export type RowOf = (row: Uint8Array) => Uint8Array | null | undefined;

const SUBS_PER_REVISION = 65_536;

/**
 * Applies one batch: each envelope between `begin` and `commit` or `rollback`. All changes of the
 * state go through here or register how to undo them.
 */
export class Transaction {
  readonly state: State;
  /** Monotonic over batches. */
  readonly nowMs: number;
  /** What idleness is measured with: see `sessionClockOf`. */
  readonly sessionClockMs: number;
  readonly writes: RowWrite[] = [];
  readonly notices: Notice[] = [];
  readonly writer: ProtoWriter;
  /** What the current envelope gets if it changes something. */
  revision: Revision;
  readonly #rowOf: RowOf;
  readonly #baseRevision: Revision;
  /** Values that this batch wrote. */
  readonly #fresh = new Map<number, Uint8Array>();
  readonly #undo: (() => void)[] = [];
  #isAtomic = false;
  #isMetaTouched = false;
  #sub = 0;
  #writesBefore = 0;
  #noticesBefore = 0;

  /** `sizeHint`: expected bytes of rows without values. */
  constructor(state: State, batchTimeMs: number, options: { rowOf: RowOf; sizeHint: number }) {
    this.state = state;
    this.nowMs = Math.max(state.timeMs, batchTimeMs);
    this.sessionClockMs = sessionClockOf(state, this.nowMs);
    this.writer = new ProtoWriter(options.sizeHint);
    this.#rowOf = options.rowOf;
    this.#baseRevision = state.revision;
    this.revision = state.revision;
  }

  begin(operationCount: number): void {
    this.revision = asRevision(this.state.revision + 1);
    this.#sub = 0;
    this.#undo.length = 0;
    this.#writesBefore = this.writes.length;
    this.#noticesBefore = this.notices.length;
    // A single operation changes nothing before it is sure to succeed.
    this.#isAtomic = operationCount > 1;
  }

  commit(): void {
    this.state.revision = this.revision;
    this.#prune();
  }

  rollback(): void {
    for (let undo = this.#undo.pop(); undo !== undefined; undo = this.#undo.pop()) undo();
    this.writes.length = this.#writesBefore;
    this.notices.length = this.#noticesBefore;
  }

  /** Ends the batch: time and counters become durable with what changed. */
  finish(): void {
    if (this.state.revision === this.#baseRevision && !this.#isMetaTouched) return;
    this.state.timeMs = this.nowMs;
    this.state.sessionClockMs = this.sessionClockMs;
    this.write(metaRow(), encodeMeta(this.writer, this.state));
  }

  /** Something changed that has no revision of its own: time and counters become durable too. */
  touchMeta(): void {
    this.#isMetaTouched = true;
  }

  /** Whether changes must say how to undo them. */
  get isAtomic(): boolean {
    return this.#isAtomic;
  }

  onRollback(undo: () => void): void {
    if (this.#isAtomic) this.#undo.push(undo);
  }

  write(row: Uint8Array, value: Uint8Array | null): void {
    this.writes.push({ row, value, isValue: false });
  }

  nextSub(): number {
    return this.#sub++;
  }

  writeValue(sub: number, value: Uint8Array): void {
    this.#fresh.set(this.#freshKey(this.revision, sub), value);
    this.writes.push({ row: valueRow(this.revision, sub), value, isValue: true });
  }

  /** The current value of a key: from this batch, or a row that `requiredRows` asked for. */
  valueOf(facts: KeyFacts): Uint8Array {
    const { valueRevision, valueSub } = facts;
    const value =
      valueRevision > this.#baseRevision
        ? this.#fresh.get(this.#freshKey(valueRevision, valueSub))
        : this.#rowOf(valueRow(valueRevision, valueSub));
    if (value === null || value === undefined) {
      assert(false, `Value row ${valueRevision} must be in memory`);
    }
    return value;
  }

  setHealth(key: BinaryKey, slot: Slot, health: KeyHealth): void {
    const { keys } = this.state;
    const before = keys.health(slot);
    this.onRollback(() => keys.setHealth(slot, before));
    keys.setHealth(slot, health);
    this.write(healthRow(this.writer, bytesOf(key)), encodeHealth(this.writer, health));
  }

  /** Adds or replaces an event. Returns it. */
  setEvent(event: EventRecord, encoded = encodeEvent(this.writer, event)): EventRecord {
    const { ledger } = this.state;
    const before = ledger.stored(event.id);
    this.onRollback(() => {
      if (before === undefined) ledger.remove(event.id);
      else ledger.set(before);
    });
    const row = eventRow(event.id);
    ledger.set({ event, bytes: encoded.length, hash: hashOfRow(row, encoded) });
    this.write(row, encoded);
    return event;
  }

  #freshKey(revision: Revision, sub: number): number {
    return (revision - this.#baseRevision) * SUBS_PER_REVISION + sub;
  }

  /** Drops the oldest ended events above the limits. Open ones are never dropped. */
  #prune(): void {
    const { ledger, limits } = this.state;
    const isWithin = (): boolean =>
      ledger.size <= limits.eventsMax && ledger.bytes <= limits.ledgerBytesMax;
    if (isWithin()) return;
    for (const { event } of ledger.oldestFirst()) {
      if (isOpen(event)) continue;
      ledger.remove(event.id);
      this.write(eventRow(event.id), null);
      if (isWithin()) return;
    }
  }
}

/**
 * The clock of a leader may be wrong by hours, and the replicated one keeps its error. So one batch
 * counts for a short step, whatever its time says, and what is above is never made up for: batches
 * follow within milliseconds, and the sessions in use need the time to be used again.
 */
function sessionClockOf({ timeMs, sessionClockMs, limits }: State, nowMs: number): number {
  return sessionClockMs + Math.min(nowMs - timeMs, limits.sessionStepMs);
}
