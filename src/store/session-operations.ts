import { encodeSession, resultOf, storedOf } from './codec/session-codec.ts';
import { hashOfRow, longHashOfText } from './item-hash.ts';
import { sessionLimits } from './limits.ts';
import type { Failure } from './outcome.ts';
import { failure } from './outcome.ts';
import { expiredSessionRow, expiredValue, sessionRow } from './rows.ts';
import type { Session, StoredResult } from './session-table.ts';
import type { Transaction } from './transaction.ts';
import type { CommandResult, Envelope } from './types.ts';

/**
 * Client sessions (Raft thesis, section 6.3): each sequence of a session is carried out at most once,
 * and every answer, refusals too, is the one that a repetition gets. Sequence 1 of an id that was
 * never used begins a session; only entries of the log end one.
 */

/** Sessions that were idle for too long end, by a clock that no leader can move far at once. */
export function expireIdleSessions(transaction: Transaction): void {
  const { sessions, limits } = transaction.state;
  for (let oldest = sessions.oldest; oldest !== null; oldest = sessions.oldest) {
    if (transaction.sessionClockMs - oldest.lastUsedMs <= limits.sessionIdleMs) return;
    expire(transaction, oldest);
  }
}

/** The answer that the session has for this request; else that of `carryOut`, which it keeps. */
export function withinSession(
  transaction: Transaction,
  envelope: Envelope,
  carryOut: () => CommandResult,
): CommandResult {
  const known = knownAnswer(transaction, envelope);
  if (known !== null) return known;
  const stored = storedOf(carryOut(), sessionLimits.messageCharsMax);
  remember(transaction, envelope, stored);
  return resultOf(stored);
}

function knownAnswer({ state }: Transaction, envelope: Envelope): CommandResult | null {
  const { session: id, sequence } = envelope;
  const session = state.sessions.get(id);
  if (session === undefined) {
    const isNew = sequence === 1 && !state.sessions.isExpired(id);
    return isNew ? idRefusal(id) : gone(envelope, 'this session is not known, or expired');
  }
  const stored = session.results.get(sequence);
  if (stored !== undefined) return resultOf(stored);
  const lowest = session.highest - state.limits.sessionWindow + 1;
  return sequence >= lowest ? null : gone(envelope, `answers are kept from request ${lowest} on`);
}

function remember(transaction: Transaction, envelope: Envelope, stored: StoredResult): void {
  const { state } = transaction;
  const { sequence } = envelope;
  const before = state.sessions.get(envelope.session);
  const highest = Math.max(before?.highest ?? 0, sequence);
  const session: Session = {
    id: envelope.session,
    highest,
    lastUse: ++state.sessionUses,
    lastUsedMs: transaction.sessionClockMs,
    results: windowOf(before, { sequence, stored, from: highest - state.limits.sessionWindow + 1 }),
  };
  const row = sessionRow(transaction.writer, session.id);
  const value = encodeSession(transaction.writer, session);
  state.sessions.set(session, hashOfRow(row, value));
  transaction.write(row, value);
  transaction.touchMeta();
  expireLeastUsed(transaction);
}

/**
 * The results from `from` on with a further one, in order of sequences. Takes the map of the session
 * that it replaces: copying it would cost more than all the rest.
 */
function windowOf(
  before: Session | undefined,
  added: { readonly sequence: number; readonly stored: StoredResult; readonly from: number },
): Map<number, StoredResult> {
  const results = before?.results ?? new Map<number, StoredResult>();
  for (const sequence of results.keys()) {
    if (sequence >= added.from) break;
    results.delete(sequence);
  }
  results.set(added.sequence, added.stored);
  if (before === undefined || added.sequence > before.highest) return results;
  return new Map([...results].sort(([a], [b]) => a - b));
}

/** The session that was used last stays, however large it is. */
function expireLeastUsed(transaction: Transaction): void {
  const { sessions, limits } = transaction.state;
  const isWithin = (): boolean =>
    sessions.size <= limits.sessionsMax && sessions.bytes <= limits.sessionsBytesMax;
  while (sessions.size > 1 && !isWithin() && sessions.oldest !== null) {
    expire(transaction, sessions.oldest);
  }
}

function expire(transaction: Transaction, session: Session): void {
  const { sessions, limits } = transaction.state;
  sessions.remove(session.id);
  transaction.write(sessionRow(transaction.writer, session.id), null);
  if (sessions.expiredCount >= limits.expiredSessionsMax) {
    transaction.write(expiredSessionRow(sessions.oldestExpired), null);
    sessions.forgetOldestExpired();
  }
  const hash = longHashOfText(session.id);
  transaction.write(expiredSessionRow(sessions.expire(hash)), expiredValue(hash));
  transaction.touchMeta();
}

function idRefusal(id: string): Failure | null {
  const { idCharsMax } = sessionLimits;
  if (id.length <= idCharsMax && /^[\x21-\x7e]+$/.test(id)) return null;
  const message = `Cannot take the client id as 1 to ${idCharsMax} visible ASCII characters: it is not`;
  return failure('PARAM_INVALID', message);
}

const gone = ({ session, sequence }: Envelope, found: string): Failure =>
  failure('SESSION_EXPIRED', `Cannot carry out request ${sequence} of client ${session}: ${found}`);
