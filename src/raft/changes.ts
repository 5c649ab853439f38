import type { PeerId } from '../shared/index.ts';
import { appendConfiguration } from './appending.ts';
import type { Leadership, PendingRemoval } from './leadership.ts';
import { applyMemberChange, memberNamed, peerIdOfMember, promote, votersOf } from './membership.ts';
import type { Progress } from './progress.ts';
import { majorityOf } from './quorum.ts';
import { sendRound } from './replication.ts';
import type { RaftState } from './state.ts';
import type { Tag } from './step-types.ts';
import type { MemberChange } from './types.ts';

/** Membership changes, one at a time (thesis 4.1), and the promotion of learners (4.2.1). */

/** Appends the configuration after `change`, or refuses. */
export function changeMembers(
  state: RaftState,
  leadership: Leadership,
  request: { readonly tag: Tag; readonly change: MemberChange },
): void {
  const { tag, change } = request;
  const obstacle = obstacleToChange(state, leadership);
  if (obstacle !== null) {
    const message = `Cannot change members one at a time: ${obstacle}`;
    state.outbox.refuse(tag, 'busy', state.self, message);
    return;
  }
  const { configuration } = state.configurations.current;
  const result = replacesLeader(state, change)
    ? { ok: false as const, message: 'Cannot replace the leader by a new incarnation: it lives' }
    : applyMemberChange(configuration, change);
  if (!result.ok) {
    state.outbox.refuse(tag, 'invalid', state.self, result.message);
    return;
  }
  const rest = votersOf(result.configuration);
  if (change.kind === 'remove' && change.safely && rest.length < votersOf(configuration).length) {
    considerRemoval(state, leadership, { tag, nodeId: change.nodeId, rest });
    return;
  }
  const index = appendConfiguration(state, leadership, result.configuration);
  state.outbox.reply({ kind: 'appended', tag, index, term: state.term });
}

/**
 * Asks the voters who is there. What was heard before the request says nothing: a voter may have
 * died since, and without a majority of the rest the removal could never be committed.
 */
function considerRemoval(
  state: RaftState,
  leadership: Leadership,
  removal: Pick<PendingRemoval, 'tag' | 'nodeId' | 'rest'>,
): void {
  leadership.readRound += 1;
  leadership.removal = { ...removal, round: leadership.readRound, elapsedMs: 0 };
  sendRound(state, leadership);
  settleRemoval(state, leadership);
}

/** Somebody answered: the removal begins when that makes a majority of those that stay. */
export function settleRemoval(state: RaftState, leadership: Leadership): void {
  const { removal } = leadership;
  if (!removal) return;
  const { tag, nodeId, rest } = removal;
  const here = whoAnswered(state, leadership, removal);
  if (here.length < majorityOf(rest.length)) return;
  leadership.removal = null;
  changeMembers(state, leadership, { tag, change: { kind: 'remove', nodeId } });
}

/** Two election timeouts are enough for every voter that is not lost. */
export function tickRemoval(state: RaftState, leadership: Leadership, creditMs: number): void {
  const { removal } = leadership;
  if (!removal) return;
  removal.elapsedMs += creditMs;
  if (removal.elapsedMs < 2 * state.settings.electionTimeoutMsMin) return;
  leadership.removal = null;
  const { tag, nodeId, rest } = removal;
  const found = `only ${whoAnswered(state, leadership, removal).length} of ${rest.length} answer`;
  const message = `Cannot remove ${nodeId} and go on with the remaining voters: ${found}`;
  state.outbox.refuse(tag, 'unreachable', state.self, message);
}

function whoAnswered(
  { self }: RaftState,
  { peers }: Leadership,
  { rest, round }: PendingRemoval,
): readonly PeerId[] {
  return rest.filter((peer) => peer === self || (peers.get(peer)?.readRound ?? 0) >= round);
}

/**
 * Why no change may begin now. Before the own no-op is committed, a change of an earlier leader
 * may still come back, and two changes at once can make two quorums that do not meet.
 */
function obstacleToChange(state: RaftState, leadership: Leadership): string | null {
  const { current } = state.configurations;
  if (state.commitIndex < leadership.noopIndex) return 'the leader is not ready yet';
  if (current.index > state.commitIndex) return `the change at ${current.index} is not committed`;
  if (current.configuration.outgoingVoters.length > 0) return 'a joint change is under way';
  if (state.transfer) return 'leadership is being transferred';
  if (leadership.removal) return `${leadership.removal.nodeId} is about to be removed`;
  return null;
}

function replacesLeader(state: RaftState, change: MemberChange): boolean {
  if (change.kind !== 'add') return false;
  const present = memberNamed(state.configurations.current.configuration, change.member.nodeId);
  if (!present || peerIdOfMember(present) !== state.self) return false;
  return change.member.incarnation !== present.incarnation;
}

/** Makes one learner that keeps up a voter, when a change may begin. */
export function promoteLearner(state: RaftState, leadership: Leadership): void {
  for (const [peer, progress] of leadership.peers) {
    if (!keepsUp(state, progress) || obstacleToChange(state, leadership) !== null) continue;
    const { configuration } = state.configurations.current;
    appendConfiguration(state, leadership, promote(configuration, peer));
    return;
  }
}

const keepsUp = (state: RaftState, { catchUp, silentMs }: Progress): boolean =>
  catchUp?.isQuick === true && silentMs < state.settings.electionTimeoutMsMin;

/** The learner answered: its round may be over, and the next begins. */
export function measureCatchUp(state: RaftState, leadership: Leadership, peer: PeerId): void {
  const { catchUp, matchIndex } = leadership.progressOf(peer);
  if (!catchUp || matchIndex < catchUp.target) return;
  catchUp.isQuick = catchUp.elapsedMs < state.settings.electionTimeoutMsMin;
  catchUp.target = state.log.lastIndex;
  catchUp.elapsedMs = 0;
}

/**
 * A round that takes longer than an election timeout shows that the learner does not keep up. One
 * with nothing to send is over as it begins: an idle cluster would wait for ever for the next news.
 */
export function tickCatchUp(state: RaftState, progress: Progress, creditMs: number): void {
  const { catchUp, matchIndex } = progress;
  if (!catchUp) return;
  if (matchIndex >= state.log.lastIndex && matchIndex >= catchUp.target) {
    catchUp.isQuick = true;
    catchUp.elapsedMs = 0;
    return;
  }
  catchUp.elapsedMs += creditMs;
  if (catchUp.elapsedMs >= state.settings.electionTimeoutMsMin) catchUp.isQuick = false;
}
