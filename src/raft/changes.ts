import type { LogIndex, PeerId } from '../shared/index.ts';
import { appendConfiguration } from './appending.ts';
import type { Leadership, PendingRemoval } from './leadership.ts';
import {
  applyMemberChanges,
  hasSameVoters,
  jointOf,
  leftJoint,
  memberNamed,
  memberOf,
  peerIdOfMember,
  votersOf,
} from './membership.ts';
import type { ChangeResult } from './membership.ts';
import type { Progress } from './progress.ts';
import { majorityOf } from './quorum.ts';
import { sendRound } from './replication.ts';
import type { RaftState } from './state.ts';
import type { Tag } from './step-types.ts';
import type { Configuration, MemberChange } from './types.ts';

/** Membership changes, one at a time (thesis 4.1, 4.3), and the promotion of learners (4.2.1). */

interface ChangeRequest {
  readonly tag: Tag;
  readonly changes: readonly MemberChange[];
  readonly expectedIndex?: LogIndex | null;
}

/** Appends the configuration that begins the changes, or refuses. */
export function changeMembers(
  state: RaftState,
  leadership: Leadership,
  request: ChangeRequest,
): void {
  const { tag, changes } = request;
  const obstacle = obstacleToChange(state, leadership);
  if (obstacle !== null) {
    const message = `Cannot change members one at a time: ${obstacle}`;
    state.outbox.refuse(tag, 'busy', state.self, message);
    return;
  }
  const result = targetOf(state, leadership, request);
  if (!result.ok) {
    state.outbox.refuse(tag, 'invalid', state.self, result.message);
    return;
  }
  const { configuration } = state.configurations.current;
  const rest = votersOf(result.configuration);
  const stays = new Set(rest);
  const isLoss = votersOf(configuration).some((voter) => !stays.has(voter));
  if (isLoss && changes.some((change) => change.kind === 'remove' && change.safely)) {
    considerRemoval(state, leadership, { tag, changes, rest });
    return;
  }
  const index = beginChange(state, leadership, result.configuration);
  state.outbox.reply({ kind: 'appended', tag, index, term: state.term });
}

function targetOf(
  state: RaftState,
  leadership: Leadership,
  { changes, expectedIndex = null }: ChangeRequest,
): ChangeResult {
  const { index, configuration } = state.configurations.current;
  if (expectedIndex !== null && expectedIndex !== index) {
    const message = `Cannot change the configuration at ${expectedIndex}: it is at ${index}`;
    return { ok: false, message };
  }
  const result = applyMemberChanges(configuration, changes);
  if (!result.ok) return result;
  const late = promotedTooEarly(state, leadership, result.configuration);
  if (late !== null) return { ok: false, message: `Cannot promote ${late}: it does not keep up` };
  if (!replacesLeader(state, result.configuration)) return result;
  return { ok: false, message: 'Cannot replace the leader by a new incarnation: it lives' };
}

/** A voter that lags holds up every commit that its vote is needed for. */
function promotedTooEarly(
  state: RaftState,
  leadership: Leadership,
  target: Configuration,
): PeerId | null {
  const isNear = (peer: PeerId): boolean => {
    const progress = leadership.peers.get(peer);
    if (progress?.state !== 'replicate' || progress.isPaused(state.settings)) return false;
    return progress.silentMs < state.settings.electionTimeoutMsMin;
  };
  const isNew = (peer: PeerId): boolean => !state.configurations.isVoter(peer);
  return votersOf(target).find((peer) => isNew(peer) && !isNear(peer)) ?? null;
}

/**
 * Appends what leads to `target`: itself when the voters stay the same, else the joint
 * configuration. That one holds from here on, and so does its need for both majorities.
 */
function beginChange(state: RaftState, leadership: Leadership, target: Configuration): LogIndex {
  const { configuration: old } = state.configurations.current;
  const first = hasSameVoters(old, target) ? target : jointOf(old, target);
  return appendConfiguration(state, leadership, first);
}

/**
 * Ends a joint change once its entry is committed: from then on every leader holds it, so no quorum
 * of the old voters alone can decide anything. Not before: it could still be truncated. Waits for
 * the own no-op (what earlier leaders left is committed only through it) and for a transfer (an
 * entry more would spoil the successor's election).
 */
export function leaveJoint(state: RaftState, leadership: Leadership): void {
  const { index, configuration } = state.configurations.current;
  if (configuration.outgoingVoters.length === 0 || state.transfer) return;
  if (state.commitIndex < leadership.noopIndex || index > state.commitIndex) return;
  appendConfiguration(state, leadership, leftJoint(configuration));
}

/**
 * Asks the voters who is there. What was heard before the request says nothing: a voter may have
 * died since, and without a majority of the rest the removal could never be committed.
 */
function considerRemoval(
  state: RaftState,
  leadership: Leadership,
  removal: Pick<PendingRemoval, 'tag' | 'changes' | 'rest'>,
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
  const { tag, changes, rest } = removal;
  const here = whoAnswered(state, leadership, removal);
  if (here.length < majorityOf(rest.length)) return;
  leadership.removal = null;
  const known = changes.map((one) => (one.kind === 'remove' ? { ...one, safely: false } : one));
  changeMembers(state, leadership, { tag, changes: known });
}

/** Two election timeouts are enough for every voter that is not lost. */
export function tickRemoval(state: RaftState, leadership: Leadership, creditMs: number): void {
  const { removal } = leadership;
  if (!removal) return;
  removal.elapsedMs += creditMs;
  if (removal.elapsedMs < 2 * state.settings.electionTimeoutMsMin) return;
  leadership.removal = null;
  const { tag, changes, rest } = removal;
  const found = `only ${whoAnswered(state, leadership, removal).length} of ${rest.length} answer`;
  const message = `Cannot remove ${namesOf(changes)} and go on with the remaining voters: ${found}`;
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
  if (leadership.removal) return `${namesOf(leadership.removal.changes)} is about to be removed`;
  return null;
}

const namesOf = (changes: readonly MemberChange[]): string =>
  changes.flatMap((change) => (change.kind === 'remove' ? [change.nodeId] : [])).join(', ');

/** The leader may go, but its name may not pass on while it leads. */
function replacesLeader({ self, configurations }: RaftState, target: Configuration): boolean {
  const present = memberOf(configurations.current.configuration, self);
  const named = present && memberNamed(target, present.nodeId);
  return named !== undefined && peerIdOfMember(named) !== self;
}

/** Makes all learners that keep up voters, when a change may begin. */
export function promoteLearners(state: RaftState, leadership: Leadership): void {
  if (!someKeepUp(state, leadership) || obstacleToChange(state, leadership) !== null) return;
  const { configuration } = state.configurations.current;
  const members = configuration.members.map((member) => {
    const progress = leadership.peers.get(peerIdOfMember(member));
    const isReady = member.role === 'learner' && progress && keepsUp(state, progress);
    return isReady ? { ...member, role: 'voter' as const } : member;
  });
  beginChange(state, leadership, { ...configuration, members });
}

function someKeepUp(state: RaftState, { peers }: Leadership): boolean {
  for (const progress of peers.values()) if (keepsUp(state, progress)) return true;
  return false;
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
