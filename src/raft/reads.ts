import type { LogIndex, PeerId } from '../shared/index.ts';
import { leaseAt, renewLease } from './lease-reads.ts';
import { noReaders } from './leadership.ts';
import type { Leadership, Readers, ReadRound } from './leadership.ts';
import { quorumValue } from './quorum.ts';
import { sendCommit, sendRound } from './replication.ts';
import type { RaftState } from './state.ts';
import type { ReadRequest } from './message-types.ts';
import type { Tag } from './step-types.ts';

/**
 * ReadIndex (thesis 6.4), the leader's side. Reads share rounds: one is under way, later reads
 * wait for the next. A round counts the answers that echo its number or a higher one, and the
 * leader alone makes the numbers, so no answer confirms a read that came after it was given.
 */

/** Answers a read of this node by the lease, or queues it. Refused when too many wait. */
export function readAsLeader(
  state: RaftState,
  leadership: Leadership,
  { tag, nowMs }: { readonly tag: Tag; readonly nowMs?: number },
): void {
  const leaseUntilMs = leaseAt(state, leadership, nowMs);
  if (leaseUntilMs !== null) {
    state.outbox.reply({ kind: 'readAt', tag, index: state.commitIndex, leaseUntilMs });
    return;
  }
  if (countReaders(leadership) >= state.settings.pendingReadsMax) {
    const message = `Cannot read as one of ${state.settings.pendingReadsMax} pending: all are taken`;
    state.outbox.refuse(tag, 'overloaded', state.leader, message);
    return;
  }
  leadership.waiting.tags.push(tag);
  startRound(state, leadership);
}

/** Queues a read of another node; it may ask again with the same id. */
export function onReadRequest(state: RaftState, message: ReadRequest): void {
  const { leadership } = state;
  const { from, requestId } = message;
  if (!leadership || countReaders(leadership) >= state.settings.pendingReadsMax) {
    answerReadRequest(state, from, requestId, null);
    return;
  }
  if (leadership.reading?.readers.requests.get(from) === requestId) return;
  leadership.waiting.requests.set(from, requestId);
  startRound(state, leadership);
}

const countReaders = ({ reading, waiting }: Leadership): number =>
  countOf(waiting) + (reading ? countOf(reading.readers) : 0);

const countOf = ({ tags, requests }: Readers): number => tags.length + requests.size;

/**
 * Starts a round when readers wait and none is under way. Not before the own no-op is committed:
 * until then the commit index may lag behind what earlier leaders acknowledged.
 */
export function startRound(state: RaftState, leadership: Leadership): void {
  const isReady = state.commitIndex >= leadership.noopIndex;
  if (!isReady || leadership.reading || countOf(leadership.waiting) === 0) return;
  leadership.readRound += 1;
  const { readRound: round, waiting: readers } = leadership;
  leadership.reading = { round, index: state.commitIndex, readers };
  leadership.waiting = noReaders();
  if (!settleRound(state, leadership)) sendRound(state, leadership);
}

/** A peer confirmed `round`: the round under way may be settled, and the next begin. */
export function onRoundConfirmed(
  state: RaftState,
  leadership: Leadership,
  from: PeerId,
  round: number,
): void {
  const progress = leadership.progressOf(from);
  if (round <= progress.readRound || round > leadership.readRound) return;
  progress.readRound = round;
  renewLease(state, leadership);
  if (settleRound(state, leadership)) startRound(state, leadership);
}

function settleRound(state: RaftState, leadership: Leadership): boolean {
  const { reading } = leadership;
  if (!reading) return false;
  const confirmed = quorumValue(state.configurations.electorate, (peer) =>
    peer === state.self ? reading.round : (leadership.peers.get(peer)?.readRound ?? 0),
  );
  if (confirmed < reading.round) return false;
  leadership.reading = null;
  answerRound(state, leadership, reading);
  return true;
}

function answerRound(state: RaftState, leadership: Leadership, reading: ReadRound): void {
  const { index, readers } = reading;
  for (const tag of readers.tags) state.outbox.reply({ kind: 'readAt', tag, index });
  for (const [peer, requestId] of readers.requests) {
    // The reader has to apply up to the index: tell it now that it may.
    if (leadership.peers.has(peer)) sendCommit(state, leadership, peer);
    answerReadRequest(state, peer, requestId, index);
  }
}

function answerReadRequest(
  state: RaftState,
  to: PeerId,
  requestId: number,
  index: LogIndex | null,
): void {
  state.outbox.now({ kind: 'readResponse', ...state.head(to), requestId, index });
}

/** Leadership is lost: whoever waits must ask the next leader. */
export function abandonReads(state: RaftState, leadership: Leadership): void {
  for (const { tags, requests } of [
    leadership.waiting,
    leadership.reading?.readers ?? noReaders(),
  ]) {
    for (const tag of tags) {
      const message = 'Cannot read as leader until a quorum confirms it: leadership was lost';
      state.outbox.refuse(tag, 'abandoned', state.leader, message);
    }
    for (const [peer, id] of requests) answerReadRequest(state, peer, id, null);
  }
  leadership.reading = null;
  leadership.waiting = noReaders();
}
