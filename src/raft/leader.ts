import { assert } from '../shared/index.ts';
import type { PeerId } from '../shared/index.ts';
import { appendNoop, appendOwn } from './appending.ts';
import {
  leaveJoint,
  measureCatchUp,
  promoteLearners,
  settleRemoval,
  tickCatchUp,
  tickRemoval,
} from './changes.ts';
import { commitByQuorum } from './committing.ts';
import { costBetween, costOf } from './costs.ts';
import { next } from './indexes.ts';
import { beginLeaseRound } from './lease-reads.ts';
import { Leadership } from './leadership.ts';
import { hasQuorum } from './quorum.ts';
import { onRoundConfirmed } from './reads.ts';
import { beat, replicateTo, replicateToAll, sendCommit } from './replication.ts';
import { becomeFollower, setLeader } from './roles.ts';
import type { RaftState } from './state.ts';
import { pushTransfer } from './transfer.ts';
import type { AppendResponse, HeartbeatResponse } from './message-types.ts';
import type { Proposal } from './step-types.ts';

/** Takes office: the own vote is durable and a quorum voted (Raft 5.2). */
export function becomeLeader(state: RaftState): void {
  const { log } = state;
  assert(state.role === 'candidate', `A ${state.role} must not become leader`);
  const leadership = new Leadership(next(log.lastIndex));
  leadership.uncommittedBytes = costBetween(state, state.commitIndex, log.lastIndex);
  leadership.follow(state.configurations.roles, state.self, log.lastIndex);
  state.role = 'leader';
  state.leadership = leadership;
  state.ballot.clear();
  setLeader(state, state.self);
  appendNoop(state, leadership);
  replicateToAll(state, leadership);
}

/** Appends commands, or refuses them: while leadership moves, and beyond the bound. */
export function proposeAsLeader(
  state: RaftState,
  leadership: Leadership,
  proposals: readonly Proposal[],
): void {
  for (const proposal of proposals) propose(state, leadership, proposal);
  replicateToAll(state, leadership);
}

function propose(state: RaftState, leadership: Leadership, { tag, payload }: Proposal): void {
  const { outbox, self, settings } = state;
  if (state.transfer) {
    outbox.refuse(tag, 'busy', self, 'Cannot append a command: leadership is being transferred');
    return;
  }
  const total = leadership.uncommittedBytes + costOf(payload.length);
  // Alone, even a command beyond the bound passes: else it never could.
  if (leadership.uncommittedBytes > 0 && total > settings.uncommittedBytesMax) {
    const limit = `${settings.uncommittedBytesMax} uncommitted bytes`;
    outbox.refuse(tag, 'overloaded', self, `Cannot append a command within ${limit}: ${total}`);
    return;
  }
  const index = appendOwn(state, leadership, 'command', payload);
  outbox.reply({ kind: 'appended', tag, index, term: state.term });
}

/** The leader's own entries became durable. */
export function onOwnPersisted(state: RaftState, leadership: Leadership): void {
  commitByQuorum(state, leadership);
}

/** An answer of this term from a peer that is followed. */
export function onAppendResponse(
  state: RaftState,
  leadership: Leadership,
  message: AppendResponse,
): void {
  const { from } = message;
  leadership.progressOf(from).heard();
  onRoundConfirmed(state, leadership, from, message.readRound);
  if (message.success) onAcknowledged(state, leadership, message);
  else onRejected(state, leadership, message);
  if (state.leadership === leadership) settleRemoval(state, leadership);
}

function onAcknowledged(
  state: RaftState,
  leadership: Leadership,
  { from, index }: AppendResponse,
): void {
  const { log } = state;
  if (index > log.lastIndex) return;
  if (leadership.progressOf(from).acknowledged(index, log.base.index)) {
    commitByQuorum(state, leadership);
    // Nothing below may be done for a leadership that the commit ended, or a peer that it let go.
    if (state.leadership !== leadership || !leadership.peers.has(from)) return;
    measureCatchUp(state, leadership, from);
    promoteLearners(state, leadership);
    if (state.transfer?.to === from) pushTransfer(state, leadership);
  }
  replicateTo(state, leadership, from);
}

function onRejected(state: RaftState, leadership: Leadership, message: AppendResponse): void {
  const { from, index, hintIndex, hintTerm } = message;
  // Terms above the hint's cannot be in the peer's log at or before its index (Raft 5.3, end).
  const retry = next(state.log.lastNotAbove(hintIndex, hintTerm));
  if (leadership.progressOf(from).rejected(index, retry)) replicateTo(state, leadership, from);
}

export function onHeartbeatResponse(
  state: RaftState,
  leadership: Leadership,
  { from, readRound }: HeartbeatResponse,
): void {
  leadership.progressOf(from).heard();
  onRoundConfirmed(state, leadership, from, readRound);
  replicateTo(state, leadership, from);
  settleRemoval(state, leadership);
}

/** Time passes for a leader: quorum check, learners' rounds, heartbeats or late commit news. */
export function tickLeader(
  state: RaftState,
  leadership: Leadership,
  { creditMs, nowMs }: { readonly creditMs: number; readonly nowMs: number | undefined },
): void {
  for (const progress of leadership.peers.values()) {
    progress.silentMs += creditMs;
    tickCatchUp(state, progress, creditMs);
  }
  if (!hasActiveQuorum(state, leadership)) {
    becomeFollower(state, state.term, null);
    return;
  }
  tickRemoval(state, leadership, creditMs);
  leaveJoint(state, leadership);
  promoteLearners(state, leadership);
  leadership.heartbeatElapsedMs += creditMs;
  // At the nearest tick: where ticks come a hair early, the next one would be late by most of a tick.
  if (leadership.heartbeatElapsedMs + creditMs / 2 >= state.settings.heartbeatMs) {
    leadership.heartbeatElapsedMs = 0;
    beginLeaseRound(state, leadership, nowMs);
    beat(state, leadership);
    pushTransfer(state, leadership);
  } else {
    for (const peer of leadership.peers.keys()) sendCommit(state, leadership, peer);
  }
}

/** Without a quorum's answers for an election timeout another may lead already (thesis 6.2). */
function hasActiveQuorum(state: RaftState, leadership: Leadership): boolean {
  const isActive = (peer: PeerId): boolean => {
    if (peer === state.self) return true;
    const silentMs = leadership.peers.get(peer)?.silentMs ?? Infinity;
    return silentMs < state.settings.electionTimeoutMsMin;
  };
  return hasQuorum(state.configurations.electorate, isActive);
}
