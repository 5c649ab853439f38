import { assert } from '../shared/index.ts';
import type { LogIndex } from '../shared/index.ts';
import { decodeConfiguration } from '../wire/index.ts';
import { commitTo } from './committing.ts';
import { maxIndex, minIndex, plus, ZERO_INDEX, ZERO_TERM } from './indexes.ts';
import { becomeFollower, setLeader } from './roles.ts';
import type { RaftState } from './state.ts';
import type { AppendRequest, Heartbeat, RaftMessage } from './message-types.ts';
import type { Entry } from './types.ts';

/** What a follower does with the messages of its term's leader. */

/** The sender leads this term: candidates give way, and the election timer starts again. */
export function acknowledgeLeader(state: RaftState, { from }: RaftMessage): void {
  assert(state.role !== 'leader', `${from} must not lead term ${state.term} beside ${state.self}`);
  if (state.role !== 'follower') becomeFollower(state, state.term, from);
  assert(
    state.leader === null || state.leader === from,
    `${from} must not lead term ${state.term} beside ${String(state.leader)}`,
  );
  setLeader(state, from);
  state.electionElapsedMs = 0;
}

/** No log check: the leader names no more than what this node has acknowledged to it. */
export function onHeartbeat(state: RaftState, message: Heartbeat): void {
  acknowledgeLeader(state, message);
  if (state.installing === null) commitTo(state, message.commit);
  confirmLeader(state, message);
}

/** Says that no later term is known here. It promises nothing durable, so it need not wait. */
export function confirmLeader(
  state: RaftState,
  { from, readRound }: Heartbeat | AppendRequest,
): void {
  state.outbox.now({ kind: 'heartbeatResponse', ...state.head(from), readRound });
}

/** AppendEntries (Raft figure 2), restricted to what this very message proves. */
export function onAppendRequest(state: RaftState, message: AppendRequest): void {
  acknowledgeLeader(state, message);
  if (state.installing !== null) {
    confirmLeader(state, message);
    return;
  }
  if (!isSound(message)) return;
  const { log } = state;
  const { previousIndex, previousTerm, entries } = message;
  const verified = plus(previousIndex, entries.length);
  if (verified <= state.commitIndex) {
    // An old message. Committed entries are the same everywhere.
    acceptAppend(state, message, state.commitIndex);
    return;
  }
  const isKnown = previousIndex <= state.commitIndex;
  if (!isKnown && !log.holds(previousIndex, previousTerm)) {
    rejectAppend(state, message);
    return;
  }
  takeOver(state, entries);
  commitTo(state, minIndex(message.leaderCommit, verified));
  acceptAppend(state, message, verified);
}

/** Entries must follow each other, and terms must not fall or exceed the sender's. */
function isSound({ previousIndex, previousTerm, entries, term }: AppendRequest): boolean {
  let lastTerm = previousTerm;
  for (const [position, entry] of entries.entries()) {
    if (entry.index !== previousIndex + 1 + position || entry.term < lastTerm) return false;
    lastTerm = entry.term;
  }
  return lastTerm <= term;
}

/** Appends what is new. Truncates at a real conflict only: a late message must cut nothing. */
function takeOver(state: RaftState, entries: readonly Entry[]): void {
  const { log, commitIndex } = state;
  for (const entry of entries) {
    if (entry.index <= commitIndex || log.holds(entry.index, entry.term)) continue;
    if (entry.index <= log.lastIndex) truncateFrom(state, entry.index);
    log.append(entry);
    if (entry.kind === 'configuration') takeConfiguration(state, entry);
  }
}

function truncateFrom(state: RaftState, index: LogIndex): void {
  assert(index > state.commitIndex, `Entry ${index} is committed and must not be replaced`);
  state.log.truncateFrom(index);
  if (state.configurations.truncateFrom(index)) state.announceConfiguration();
}

function takeConfiguration(state: RaftState, { index, payload }: Entry): void {
  state.configurations.push({ index, configuration: decodeConfiguration(payload) });
  state.announceConfiguration();
}

function acceptAppend(state: RaftState, message: AppendRequest, index: LogIndex): void {
  const { from, readRound } = message;
  const hint = { hintIndex: ZERO_INDEX, hintTerm: ZERO_TERM };
  const head = state.head(from);
  state.outbox.afterPersist({
    ...{ kind: 'appendResponse', ...head, success: true, index, ...hint, readRound },
  });
}

/** Names the last place where the logs may still meet, a whole term at a time (Raft 5.3, end). */
export function rejectAppend(state: RaftState, message: AppendRequest): void {
  const { from, previousIndex, previousTerm, readRound } = message;
  const { log, commitIndex } = state;
  const hintIndex = maxIndex(log.lastNotAbove(previousIndex, previousTerm), commitIndex);
  const hintTerm = log.termAt(hintIndex);
  assert(hintTerm !== undefined, `Entry ${hintIndex} must be known as a hint`);
  state.outbox.afterPersist({
    kind: 'appendResponse',
    ...state.head(from),
    success: false,
    index: previousIndex,
    hintIndex,
    hintTerm,
    readRound,
  });
}
