import type { EventRecord, EventStatus, KeyHealth, Revision } from '../shared/index.ts';
import { fromUtf8, kindOf } from '../shared/index.ts';
import type { BinaryKey } from './binary.ts';
import { binaryOfText, cutText } from './binary.ts';
import { encodeEvent } from './codec/event-codec.ts';
import { boundedEvidence } from './evidence.ts';
import type { Slot } from './key-columns.ts';
import { eventLimits } from './limits.ts';
import type { Failure, OperationOutcome } from './outcome.ts';
import { failure } from './outcome.ts';
import type { State } from './state.ts';
import { tokenOf } from './token.ts';
import type { Transaction } from './transaction.ts';
import type { HealthExpectation, Operation } from './types.ts';

type SetBaseline = Extract<Operation, { kind: 'setBaseline' }>;
type RecordEvent = Extract<Operation, { kind: 'recordEvent' }>;

interface Expected {
  readonly key: BinaryKey;
  readonly slot: Slot;
  readonly health: KeyHealth;
}

export function applySetBaseline(
  transaction: Transaction,
  operation: SetBaseline,
): OperationOutcome {
  const found = findExpected(transaction.state, operation.expect);
  if (found === null || found.health.baseline !== null) return false;
  const health = { ...found.health, baseline: operation.to, baselineAtMs: transaction.nowMs };
  transaction.setHealth(found.key, found.slot, health);
  transaction.notices.push({ kind: 'baseline', key: operation.expect.key, health });
  return true;
}

export function applyRecordEvent(
  transaction: Transaction,
  operation: RecordEvent,
): OperationOutcome {
  const { state, writer } = transaction;
  const found = findExpected(state, operation.expect);
  if (found === null || !mayFollow(found.health, operation)) return false;
  const refusal = notificationRefusal(state, operation);
  if (refusal !== null) return refusal;
  const event = eventOf(transaction, operation);
  const encoded = encodeEvent(writer, event);
  const full = ledgerRefusal(state, encoded.length);
  if (full !== null) return full;
  transaction.setEvent(event, encoded);
  const health = healthAfter(found.health, event);
  transaction.setHealth(found.key, found.slot, health);
  transaction.notices.push({ kind: 'event', event });
  return true;
}

/** The key, if it is still what the command was decided on. */
function findExpected(state: State, expect: HealthExpectation): Expected | null {
  const { keys } = state;
  const key = binaryOfText(expect.key);
  const slot = keys.find(key);
  if (slot === undefined) return null;
  const { createRevision, valueRevision } = keys.facts(slot);
  if (createRevision !== expect.createRevision) return null;
  if (valueRevision !== expect.valueRevision) return null;
  return { key, slot, health: keys.health(slot) ?? freshHealth(createRevision) };
}

const freshHealth = (createRevision: Revision): KeyHealth => ({
  createRevision,
  baseline: null,
  empty: false,
  lastAvailabilityEvent: null,
  lastEmptinessEvent: null,
  baselineAtMs: 0,
  emptyAtMs: 0,
});

/** Whether the transition begins at the state that the key is in. */
function mayFollow(
  health: KeyHealth,
  transition: { readonly from: EventStatus | ''; readonly to: EventStatus },
): boolean {
  const { from, to } = transition;
  if (to === 'EMPTY') return !health.empty && (from === '' || from === health.baseline);
  if (to === 'EMPTY_RECOVER') return health.empty;
  return health.baseline !== null && from === health.baseline && to !== from;
}

/**
 * An open notification of the same key and kind makes the command a lost compare-and-set, see
 * below; one of an earlier key of that name is a conflict that passes when its script has ended.
 */
function notificationRefusal(state: State, operation: RecordEvent): OperationOutcome | null {
  const { key, createRevision } = operation.expect;
  for (const open of state.ledger.openOf(key)) {
    if (open.createRevision !== createRevision) {
      return failure(
        'CONFLICT',
        `Cannot record the event as the next of its key: event ${open.id} of a deleted key of that name still runs`,
      );
    }
    if (kindOf(open.to) === kindOf(operation.to)) return false;
  }
  return null;
}

/** Only ended events can be dropped for a new one. */
function ledgerRefusal(state: State, bytes: number): Failure | null {
  const { ledger, limits } = state;
  const hasRoom =
    ledger.openCount < limits.eventsMax && ledger.openBytes + bytes <= limits.ledgerBytesMax;
  if (hasRoom) return null;
  return failure(
    'STORE_FULL',
    `Cannot record the event as one of ${limits.eventsMax}: ${ledger.openCount} notifications are open`,
  );
}

function eventOf(transaction: Transaction, operation: RecordEvent): EventRecord {
  const { state, revision, nowMs } = transaction;
  const { expect, from, to } = operation;
  return {
    id: revision,
    token: tokenOf(state.epoch, revision),
    key: expect.key,
    createRevision: expect.createRevision,
    value: fromUtf8(operation.value),
    valueRevision: expect.valueRevision,
    from,
    to,
    reason: cutText(operation.reason, eventLimits.reasonBytesMax),
    atMs: nowMs,
    evidence: boundedEvidence(operation.evidence),
    notification: { state: operation.tracked ? 'pending' : 'none', attempts: [] },
  };
}

function healthAfter(health: KeyHealth, event: EventRecord): KeyHealth {
  const { id, to, atMs } = event;
  if (to === 'EMPTY' || to === 'EMPTY_RECOVER') {
    return { ...health, empty: to === 'EMPTY', lastEmptinessEvent: id, emptyAtMs: atMs };
  }
  const emptyAtMs = health.empty ? atMs : health.emptyAtMs;
  const changed = { baseline: to, baselineAtMs: atMs, lastAvailabilityEvent: id };
  return { ...health, ...changed, empty: false, emptyAtMs };
}
