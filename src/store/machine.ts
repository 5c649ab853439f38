import type { DecisionSettings, EventRecord, KeyHealth } from '../shared/index.ts';
import type { LogIndex, Revision } from '../shared/index.ts';
import { asIndex, assert, assertNever, QuorateError } from '../shared/index.ts';
import type { BinaryKey } from './binary.ts';
import { binaryOf, binaryOfText, bytesOf } from './binary.ts';
import { holds, needsBytes } from './compare.ts';
import { digestOf } from './digest.ts';
import { applyRecordEvent, applySetBaseline } from './health-operations.ts';
import { applyDelete, applyPut } from './key-operations.ts';
import { recordOf } from './key-record.ts';
import { storeLimits, supportedClusterVersion } from './limits.ts';
import { loadRow } from './loader.ts';
import {
  applyCloseNotification,
  applyEndAttempt,
  applyFollowerRun,
  applyStartAttempt,
} from './notification-operations.ts';
import type { OperationOutcome } from './outcome.ts';
import { failure } from './outcome.ts';
import { applyRaiseEpoch } from './raise-epoch.ts';
import { valueRow } from './rows.ts';
import { expireIdleSessions, withinSession } from './session-operations.ts';
import { applyPutSettings, applySetNoSpace } from './settings-operations.ts';
import type { State } from './state.ts';
import { emptyState } from './state.ts';
import type { RowOf } from './transaction.ts';
import { Transaction } from './transaction.ts';
import type {
  ApplyOutcome,
  CommandBatch,
  CommandResult,
  Envelope,
  KeyRecord,
  Operation,
  RowWrite,
  StoreLimits,
  StoreView,
} from './types.ts';
import { refusalOf } from './validate.ts';

const MALFORMED = failure(
  'PARAM_INVALID',
  'Cannot take the bytes as a command: they do not decode',
);
/** Rows without values that an envelope of one put writes. */
const ROW_BYTES_PER_ENVELOPE = 160;

/**
 * The replicated state machine: every node that applies the same entries in the same order holds
 * the same state, gives the same results and writes the same rows.
 */
export class StateMachine implements StoreView {
  #state: State;
  #appliedIndex = asIndex(0);
  #isLoading = true;

  /** `limits` are part of the replicated rules: others than the default only in tests. */
  constructor(limits: StoreLimits = storeLimits) {
    this.#state = emptyState(limits);
  }

  /** Takes a row of the engine, in key order, before `finishLoad`. Throws STORAGE_DAMAGED. */
  load(row: Uint8Array, value: Uint8Array): void {
    assert(this.#isLoading, 'Rows are loaded before the first entry is applied');
    loadRow(this.#state, row, value);
  }

  /** Ends loading; `appliedIndex` is the one that the rows belong to (`openedAtIndex`). */
  finishLoad(appliedIndex: LogIndex): void {
    assert(this.#isLoading, 'Loading ends once');
    this.#isLoading = false;
    this.#state.sessions.finishLoad();
    this.#appliedIndex = appliedIndex;
  }

  /**
   * Value rows that `apply` of this batch will ask for, of the state as it is: for conditions on
   * values, and for puts that might be the same bytes again. Nothing may be applied in between.
   */
  requiredRows(batch: CommandBatch): Uint8Array[] {
    const rows: Uint8Array[] = [];
    for (const envelope of batch.envelopes) {
      if (envelope === null) continue;
      for (const compare of envelope.compare) {
        if (compare.target === 'value') this.#require(rows, compare.key, compare.bytes);
      }
      this.#requireForPuts(rows, envelope.then);
      this.#requireForPuts(rows, envelope.else);
    }
    return rows;
  }

  /**
   * Applies the command entry at `index`, the one after `appliedIndex`. `rowOf` gives the rows
   * that `requiredRows` named. Throws STORAGE_FAILED, before anything changed, when it is of a later
   * cluster version: to skip it would be another state. Rows and values in `writes` may be views of
   * the batch's bytes: copy what is kept for long.
   */
  apply(index: LogIndex, batch: CommandBatch, rowOf: RowOf): ApplyOutcome {
    checkVersion(index, batch.minVersion);
    this.#step(index);
    const sizeHint = batch.envelopes.length * ROW_BYTES_PER_ENVELOPE + 64;
    const transaction = new Transaction(this.#state, batch.timeMs, { rowOf, sizeHint });
    expireIdleSessions(transaction);
    const results = batch.envelopes.map((envelope) => applyEnvelope(transaction, envelope));
    transaction.finish();
    return { results, writes: transaction.writes, notices: transaction.notices };
  }

  /**
   * Passes an entry that is no command (no-op, configuration). Returns the rows to write, none so
   * far: the engine keeps the applied index itself.
   */
  advance(index: LogIndex): readonly RowWrite[] {
    this.#step(index);
    return [];
  }

  /** Checksum of the replicated state (not of the applied index), equal on all nodes. Takes microseconds. */
  digest(): number {
    return digestOf(this.#state);
  }

  get appliedIndex(): LogIndex {
    return this.#appliedIndex;
  }

  get revision(): Revision {
    return this.#state.revision;
  }

  get clusterVersion(): number {
    return this.#state.clusterVersion;
  }

  get epoch(): number {
    return this.#state.epoch;
  }

  get keyCount(): number {
    return this.#state.keys.size;
  }

  get databaseBytes(): number {
    const { keys, ledger, sessions } = this.#state;
    return keys.bytes + ledger.bytes + sessions.bytes;
  }

  get settings(): DecisionSettings | null {
    return this.#state.settings;
  }

  get noSpace(): string {
    return this.#state.noSpace;
  }

  hasAnswered(session: string, sequence: number): boolean {
    return this.#state.sessions.get(session)?.results.has(sequence) === true;
  }

  key(key: Uint8Array): KeyRecord | undefined {
    const { keys } = this.#state;
    const slot = keys.find(binaryOf(key));
    return slot === undefined ? undefined : recordOf(new Uint8Array(key), keys.facts(slot));
  }

  *keys(query: {
    readonly prefix?: Uint8Array;
    readonly after?: Uint8Array;
    readonly limit?: number;
  }): Generator<KeyRecord> {
    const { keys } = this.#state;
    const { prefix, lowest, isExclusive } = rangeOf(query);
    let left = query.limit ?? Infinity;
    if (left <= 0) return;
    for (const [key, slot] of keys.scan(lowest, isExclusive)) {
      if (!key.startsWith(prefix)) return;
      yield recordOf(bytesOf(key), keys.facts(slot));
      if (--left <= 0) return;
    }
  }

  health(key: string): KeyHealth | undefined {
    const slot = this.#state.keys.find(binaryOfText(key));
    return slot === undefined ? undefined : this.#state.keys.health(slot);
  }

  event(id: Revision): EventRecord | undefined {
    return this.#state.ledger.get(id);
  }

  events(query: { readonly key?: string; readonly limit: number }): readonly EventRecord[] {
    const { key, limit } = query;
    const newest = this.#state.ledger.newestFirst();
    const chosen = key === undefined ? newest : newest.filter((event) => event.key === key);
    return chosen.slice(0, Math.max(0, limit));
  }

  openNotifications(): readonly EventRecord[] {
    return this.#state.ledger.open();
  }

  openNotificationsOf(key: string): readonly EventRecord[] {
    return this.#state.ledger.openOf(key);
  }

  #step(index: LogIndex): void {
    assert(!this.#isLoading, 'Entries are applied after loading');
    assert(index === this.#appliedIndex + 1, `Entry ${index} must follow ${this.#appliedIndex}`);
    this.#appliedIndex = index;
  }

  #requireForPuts(rows: Uint8Array[], operations: readonly Operation[]): void {
    for (const operation of operations) {
      if (operation.kind === 'put') this.#require(rows, operation.key, operation.value);
    }
  }

  #require(rows: Uint8Array[], key: Uint8Array, value: Uint8Array): void {
    const { keys, limits } = this.#state;
    if (key.length > limits.keyBytesMax) return;
    const slot = keys.find(binaryOf(key));
    if (slot === undefined) return;
    const facts = keys.facts(slot);
    if (needsBytes(facts, value)) rows.push(valueRow(facts.valueRevision, facts.valueSub));
  }
}

function checkVersion(index: LogIndex, needed: number): void {
  if (needed <= supportedClusterVersion) return;
  throw new QuorateError(
    'STORAGE_FAILED',
    `Cannot apply entry ${index} as cluster version ${supportedClusterVersion}: it needs ${needed}, ` +
      'so this node needs newer software',
  );
}

function rangeOf(query: { readonly prefix?: Uint8Array; readonly after?: Uint8Array }): {
  readonly prefix: BinaryKey;
  readonly lowest: BinaryKey;
  readonly isExclusive: boolean;
} {
  const prefix = query.prefix === undefined ? '' : binaryOf(query.prefix);
  const after = query.after === undefined ? '' : binaryOf(query.after);
  const isExclusive = query.after !== undefined && after >= prefix;
  return { prefix, lowest: isExclusive ? after : prefix, isExclusive };
}

function applyEnvelope(transaction: Transaction, envelope: Envelope | null): CommandResult {
  if (envelope === null) return MALFORMED;
  if (envelope.sequence === 0) return carryOut(transaction, envelope);
  return withinSession(transaction, envelope, () => carryOut(transaction, envelope));
}

function carryOut(transaction: Transaction, envelope: Envelope): CommandResult {
  const { state } = transaction;
  const refusal = refusalOf(envelope, state);
  if (refusal !== null) return refusal;
  const branch = envelope.compare.every((one) => holds(transaction, one)) ? 'then' : 'else';
  const operations = envelope[branch];
  transaction.begin(operations.length);
  let changed = false;
  for (const operation of operations) {
    const outcome = applyOperation(transaction, operation);
    if (typeof outcome !== 'boolean') {
      transaction.rollback();
      return outcome;
    }
    changed ||= outcome;
  }
  if (changed) transaction.commit();
  return { ok: true, revision: state.revision, changed, branch };
}

function applyOperation(transaction: Transaction, operation: Operation): OperationOutcome {
  switch (operation.kind) {
    case 'put':
      return applyPut(transaction, operation);
    case 'delete':
      return applyDelete(transaction, operation.key);
    case 'setBaseline':
      return applySetBaseline(transaction, operation);
    case 'recordEvent':
      return applyRecordEvent(transaction, operation);
    case 'startAttempt':
      return applyStartAttempt(transaction, operation);
    case 'endAttempt':
      return applyEndAttempt(transaction, operation);
    case 'recordFollowerRun':
      return applyFollowerRun(transaction, operation);
    case 'closeNotification':
      return applyCloseNotification(transaction, operation);
    case 'setNoSpace':
      return applySetNoSpace(transaction, operation.nodes);
    case 'raiseEpoch':
      return applyRaiseEpoch(transaction, operation.epoch);
    case 'putSettings':
      return applyPutSettings(transaction, operation.settings);
    default:
      return assertNever(operation);
  }
}
