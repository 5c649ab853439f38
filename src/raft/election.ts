import type { PeerId } from '../shared/index.ts';
import { nextTerm } from './indexes.ts';
import { becomeLeader } from './leader.ts';
import { voteOutcome } from './quorum.ts';
import { becomeFollower, setLeader } from './roles.ts';
import type { RaftState } from './state.ts';
import type { VoteRequest, VoteResponse } from './message-types.ts';

/** Elections: pre-vote (thesis 9.6), vote (Raft 5.2, 5.4.1), stickiness (thesis 4.2.3). */

/** Time passes for a node that does not lead. */
export function tickElection(state: RaftState, creditMs: number): void {
  // A slow disk delays the campaign; to begin another would only delay it again.
  if (state.role === 'candidate' && !state.log.isDurable(state.ownVoteSequence)) return;
  state.electionElapsedMs += creditMs;
  const isDue = state.electionElapsedMs >= state.electionTimeoutMs;
  // Nobody else can come to lead a sole voter's cluster. Who leaves it may lead still, and read by lease.
  const isHurried = state.isSoleVoter && state.role === 'follower' && !isLoyal(state);
  if (!isDue && !isHurried) return;
  if (mayCampaign(state)) {
    preCampaign(state);
    return;
  }
  if (isDue) becomeFollower(state, state.term, null);
}

/** Nobody campaigns whose disk hangs or whose log is about to be replaced. */
const mayCampaign = (state: RaftState): boolean =>
  !state.isDiskStalled &&
  state.installing === null &&
  state.configurations.mayCampaign(state.self, state.commitIndex);

/** Asks whether an election could be won; changes no term, here or there. */
function preCampaign(state: RaftState): void {
  state.role = 'preCandidate';
  setLeader(state, null);
  state.resetElectionTimer();
  state.ballot.clear();
  state.ballot.set(state.self, true);
  requestVotes(state, { preVote: true, transfer: false });
  countBallot(state);
}

/** Stands for election in the next term. The own vote counts once it is durable. */
function campaign(state: RaftState, transfer: boolean): void {
  state.role = 'candidate';
  setLeader(state, null);
  state.adoptTerm(nextTerm(state.term));
  state.castVote(state.self);
  state.resetElectionTimer();
  state.ballot.clear();
  // The hard state is dirty, so this very step hands out the next batch.
  state.ownVoteSequence = state.log.sequence + 1;
  requestVotes(state, { preVote: false, transfer });
}

function requestVotes(
  state: RaftState,
  { preVote, transfer }: { readonly preVote: boolean; readonly transfer: boolean },
): void {
  const { voters, outgoing } = state.configurations.electorate;
  for (const peer of new Set([...voters, ...outgoing])) {
    if (peer === state.self) continue;
    const request: VoteRequest = {
      kind: 'voteRequest',
      ...state.head(peer),
      term: preVote ? nextTerm(state.term) : state.term,
      preVote,
      lastIndex: state.log.lastIndex,
      lastTerm: state.log.lastTerm,
      transfer,
    };
    if (preVote) state.outbox.now(request);
    else state.outbox.afterPersist(request);
  }
}

/** A candidate's own vote is durable: now it counts like the others'. */
export function onOwnVotePersisted(state: RaftState): void {
  if (state.ballot.has(state.self) || !state.log.isDurable(state.ownVoteSequence)) return;
  state.ballot.set(state.self, true);
  countBallot(state);
}

/**
 * Whether a leader was heard within the shortest election timeout: then nobody else is helped to
 * office, whatever term he brings.
 */
export function isLoyal(state: RaftState): boolean {
  if (state.leadership || keepsOldPromise(state)) return true;
  return state.leader !== null && state.electionElapsedMs < state.settings.electionTimeoutMsMin;
}

/** In its last life it may have heard a leader, who counts on it (thesis 6.4.1). */
const keepsOldPromise = ({ settings, aliveMs }: RaftState): boolean =>
  settings.leaseReads && aliveMs < settings.electionTimeoutMsMin;

/** Answers a pre-vote from any term: a refusal tells a node that fell behind which term it is. */
export function onPreVoteRequest(state: RaftState, request: VoteRequest): void {
  const { from, term, lastTerm, lastIndex } = request;
  const granted = term > state.term && !isLoyal(state) && state.log.isUpToDate(lastTerm, lastIndex);
  state.outbox.now({
    kind: 'voteResponse',
    ...state.head(from),
    // A grant echoes the term that was asked for, so that it counts for that campaign only.
    ...(granted && { term }),
    preVote: true,
    granted,
  });
}

/** Answers a vote request of this term or an earlier one; whoever asks, and whatever we are. */
export function onVoteRequest(state: RaftState, request: VoteRequest): void {
  const granted = request.term === state.term && canVoteFor(state, request);
  if (granted) {
    state.castVote(request.from);
    state.resetElectionTimer();
  }
  refuseOrGrant(state, request.from, granted);
}

/** The answer waits until the vote, and the log that it was judged by, are durable. */
export function refuseOrGrant(state: RaftState, to: PeerId, granted: boolean): void {
  const head = state.head(to);
  state.outbox.afterPersist({ kind: 'voteResponse', ...head, preVote: false, granted });
}

function canVoteFor(state: RaftState, { from, lastTerm, lastIndex }: VoteRequest): boolean {
  const isFree = state.vote === null && state.leader === null;
  if (state.vote !== from && !isFree) return false;
  return state.log.isUpToDate(lastTerm, lastIndex);
}

/** Counts an answer to the campaign under way; answers to earlier ones are dropped. */
export function onVoteResponse(state: RaftState, response: VoteResponse): void {
  const { from, granted, preVote, term } = response;
  const isAnswer = preVote
    ? state.role === 'preCandidate' && (!granted || term === nextTerm(state.term))
    : state.role === 'candidate' && term === state.term;
  if (!isAnswer || !state.configurations.isVoter(from)) return;
  state.ballot.set(from, granted);
  countBallot(state);
}

function countBallot(state: RaftState): void {
  const outcome = voteOutcome(state.configurations.electorate, state.ballot);
  if (outcome === 'lost') becomeFollower(state, state.term, null);
  if (outcome !== 'won') return;
  if (state.role === 'preCandidate') campaign(state, false);
  else becomeLeader(state);
}

/** The leader chose this node as its successor (thesis 3.10): no pre-vote, no waiting. */
export function onTimeoutNow(state: RaftState): void {
  if (!state.leadership && mayCampaign(state)) campaign(state, true);
}
