import type {
  EventRecord,
  NotificationAttempt,
  NotificationState,
  Revision,
} from '../shared/index.ts';
import { kindOf } from '../shared/index.ts';
import type { BinaryKey } from './binary.ts';
import { binaryOfText, cutText, textOf } from './binary.ts';
import type { RunEnd } from './codec/run-codec.ts';
import { cutName, cutNode } from './evidence.ts';
import { eventLimits } from './limits.ts';
import { isOpen } from './ledger.ts';
import type { Failure, OperationOutcome } from './outcome.ts';
import { failure } from './outcome.ts';
import type { State } from './state.ts';
import type { Transaction } from './transaction.ts';
import type { Operation } from './types.ts';

type Named<Kind extends Operation['kind']> = Extract<Operation, { kind: Kind }>;
type Attempts = readonly NotificationAttempt[];

/** pending or running -> running; the attempt before it, if it never ended, stays without an end. */
export function applyStartAttempt(
  transaction: Transaction,
  operation: Named<'startAttempt'>,
): OperationOutcome {
  const event = transaction.state.ledger.get(operation.eventId);
  if (event === undefined) return unknownEvent('start an attempt', operation.eventId);
  if (!isOpen(event) || isOrphan(transaction.state, event)) return false;
  const { attempts } = event.notification;
  const last = lastLeaderAttempt(attempts);
  if (operation.attempt !== (last?.attempt ?? 0) + 1) return false;
  const started = { ...NOT_ENDED, attempt: operation.attempt, node: cutNode(operation.node) };
  const run = { ...started, role: 'leader' as const, startedAtMs: operation.startedAtMs };
  moveTo(transaction, event, 'running', bounded(transaction.state, [...attempts, run]));
  return true;
}

/**
 * Ends the attempt that runs. The end of an earlier one, which a new leader took over, is written
 * down where it is missing and decides nothing.
 */
export function applyEndAttempt(
  transaction: Transaction,
  operation: Named<'endAttempt'>,
): OperationOutcome {
  const { state } = transaction;
  const event = state.ledger.get(operation.eventId);
  if (event === undefined) return unknownEvent('end an attempt', operation.eventId);
  const { attempts } = event.notification;
  const found = attempts.find((one) => isLeaderRun(one) && one.attempt === operation.attempt);
  if (found?.node !== cutNode(operation.node) || found.durationMs !== null) return false;
  const ended = { ...found, ...endOf(state, operation) };
  const next = attempts.map((one) => (one === found ? ended : one));
  const decides = event.notification.state === 'running' && found === lastLeaderAttempt(attempts);
  if (decides) moveTo(transaction, event, stateAfter(state, event, operation.outcome), next);
  else transaction.setEvent(withNotification(event, event.notification.state, next));
  return true;
}

export function applyFollowerRun(
  transaction: Transaction,
  operation: Named<'recordFollowerRun'>,
): OperationOutcome {
  const { state } = transaction;
  const event = state.ledger.get(operation.eventId);
  if (event === undefined) return unknownEvent('record a run', operation.eventId);
  const { attempts } = event.notification;
  const node = cutNode(operation.node);
  const { startedAtMs } = operation;
  const isKnown = attempts.some(
    (one) => !isLeaderRun(one) && one.node === node && one.startedAtMs === startedAtMs,
  );
  if (isKnown) return false;
  const run = {
    attempt: 1,
    node,
    role: 'follower',
    startedAtMs,
    ...endOf(state, operation),
  } as const;
  const next = bounded(state, [...attempts, run]);
  transaction.setEvent(withNotification(event, event.notification.state, next));
  return true;
}

export function applyCloseNotification(
  transaction: Transaction,
  operation: Named<'closeNotification'>,
): OperationOutcome {
  const event = transaction.state.ledger.get(operation.eventId);
  if (event === undefined) return unknownEvent('close the notification', operation.eventId);
  if (event.notification.state !== 'pending') return false;
  moveTo(transaction, event, operation.state, event.notification.attempts);
  return true;
}

/** What waits for a deleted key is superseded; what runs goes on to its end. */
export function supersedeOfDeletedKey(
  transaction: Transaction,
  key: BinaryKey,
  createRevision: Revision,
): void {
  const { ledger } = transaction.state;
  if (ledger.openCount === 0) return;
  for (const event of ledger.openOf(textOf(key))) {
    if (event.createRevision !== createRevision || binaryOfText(event.key) !== key) continue;
    if (event.notification.state !== 'pending') continue;
    moveTo(transaction, event, 'superseded', event.notification.attempts);
  }
}

const NOT_ENDED = {
  durationMs: null,
  exitCode: null,
  signal: null,
  timedOut: false,
  output: '',
} as const;

const isLeaderRun = (run: NotificationAttempt): boolean => run.role === 'leader';
const lastLeaderAttempt = (attempts: Attempts): NotificationAttempt | undefined =>
  attempts.findLast(isLeaderRun);

/** Whether the key that the event is about is gone; one of the same name may be there. */
function isOrphan(state: State, event: EventRecord): boolean {
  const slot = state.keys.find(binaryOfText(event.key));
  return slot === undefined || state.keys.facts(slot).createRevision !== event.createRevision;
}

function stateAfter(
  state: State,
  event: EventRecord,
  outcome: Named<'endAttempt'>['outcome'],
): NotificationState {
  if (outcome !== 'retry') return outcome;
  return isOrphan(state, event) ? 'failed' : 'pending';
}

function moveTo(
  transaction: Transaction,
  event: EventRecord,
  state: NotificationState,
  attempts: Attempts,
): void {
  const moved = transaction.setEvent(withNotification(event, state, attempts));
  transaction.notices.push({
    kind: 'notification',
    event: moved,
    eventKind: kindOf(moved.to),
    ended: !isOpen(moved),
  });
}

const withNotification = (
  event: EventRecord,
  state: NotificationState,
  attempts: Attempts,
): EventRecord => ({ ...event, notification: { state, attempts } });

/** Output shrinks when open events, which cannot be dropped, take half of the ledger. */
function endOf(state: State, end: RunEnd): RunEnd {
  const { durationMs, exitCode, signal, timedOut, output } = end;
  const isCrowded = state.ledger.openBytes * 2 > state.limits.ledgerBytesMax;
  const bytesMax = isCrowded ? eventLimits.outputBytesWhenFull : eventLimits.outputBytesMax;
  return {
    durationMs,
    exitCode,
    signal: signal === null ? null : cutName(signal),
    timedOut,
    output: cutText(output, bytesMax),
  };
}

/** Drops the oldest runs above the limit, but never the last of a leader: it carries the number. */
function bounded(state: State, attempts: Attempts): Attempts {
  if (attempts.length <= state.limits.attemptsMax) return attempts;
  const last = lastLeaderAttempt(attempts);
  const dropped = attempts.find((attempt) => attempt !== last);
  return attempts.filter((attempt) => attempt !== dropped);
}

const unknownEvent = (action: string, id: Revision): Failure =>
  failure('NOT_FOUND', `Cannot ${action} as one of event ${id}: there is no such event`);
