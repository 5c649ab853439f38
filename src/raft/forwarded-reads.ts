import type { PeerId } from '../shared/index.ts';
import type { RaftState } from './state.ts';
import type { ReadResponse } from './message-types.ts';
import type { RefusalReason, Tag } from './step-types.ts';

/**
 * ReadIndex (thesis 6.4), the side of a node that does not lead: one request to the leader stands
 * for all reads that came before it was sent; later reads wait for the next request.
 */

/** Queues a read for the leader. Refused without a leader or when too many wait. */
export function readThroughLeader(state: RaftState, tag: Tag): void {
  const { forwarded, leader, settings } = state;
  if (leader === null) {
    state.outbox.refuse(tag, 'notLeader', null, 'Cannot read as follower: no leader is known');
    return;
  }
  if (forwarded.asked.length + forwarded.waiting.length >= settings.pendingReadsMax) {
    const message = `Cannot read as one of ${settings.pendingReadsMax} pending: all are taken`;
    state.outbox.refuse(tag, 'overloaded', leader, message);
    return;
  }
  forwarded.waiting.push(tag);
  if (forwarded.asked.length === 0) askNext(state, leader);
}

function askNext(state: RaftState, leader: PeerId): void {
  const { forwarded } = state;
  if (forwarded.waiting.length === 0) return;
  forwarded.requestId += 1;
  forwarded.asked = forwarded.waiting;
  forwarded.waiting = [];
  forwarded.elapsedMs = 0;
  ask(state, leader);
}

function ask(state: RaftState, leader: PeerId): void {
  const { requestId } = state.forwarded;
  state.outbox.now({ kind: 'readRequest', ...state.head(leader), requestId });
}

export function onReadResponse(state: RaftState, message: ReadResponse): void {
  const { forwarded, leader } = state;
  if (message.requestId !== forwarded.requestId || forwarded.asked.length === 0) return;
  if (message.from !== leader) return;
  const tags = forwarded.asked;
  forwarded.asked = [];
  const { index } = message;
  if (index === null) refuseAll(state, tags, 'abandoned', 'it could not confirm itself');
  else for (const tag of tags) state.outbox.reply({ kind: 'readAt', tag, index });
  askNext(state, leader);
}

/** Asks again after each heartbeat interval; gives up after an election timeout. */
export function tickForwardedReads(state: RaftState, creditMs: number): void {
  const { forwarded, leader, settings } = state;
  if (forwarded.asked.length === 0 || leader === null) return;
  const before = Math.floor(forwarded.elapsedMs / settings.heartbeatMs);
  forwarded.elapsedMs += creditMs;
  if (forwarded.elapsedMs >= settings.electionTimeoutMsMin) {
    const tags = forwarded.asked;
    forwarded.asked = [];
    refuseAll(state, tags, 'abandoned', 'it did not answer');
    askNext(state, leader);
    return;
  }
  // The answer to any copy of a request is younger than the reads it stands for.
  if (Math.floor(forwarded.elapsedMs / settings.heartbeatMs) > before) ask(state, leader);
}

/** The leader changed or is unknown. */
export function abandonForwardedReads(state: RaftState): void {
  const { forwarded } = state;
  const tags = [...forwarded.asked, ...forwarded.waiting];
  forwarded.asked = [];
  forwarded.waiting = [];
  refuseAll(state, tags, 'abandoned', 'it changed');
}

function refuseAll(
  state: RaftState,
  tags: readonly Tag[],
  reason: RefusalReason,
  found: string,
): void {
  for (const tag of tags) {
    state.outbox.refuse(tag, reason, state.leader, `Cannot read through the leader: ${found}`);
  }
}
