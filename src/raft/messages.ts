import { assertNever } from '../shared/index.ts';
import {
  isLoyal,
  onPreVoteRequest,
  onTimeoutNow,
  onVoteRequest,
  onVoteResponse,
  refuseOrGrant,
} from './election.ts';
import {
  acknowledgeLeader,
  confirmLeader,
  onAppendRequest,
  onHeartbeat,
  rejectAppend,
} from './follower.ts';
import { onReadResponse } from './forwarded-reads.ts';
import { onAppendResponse, onHeartbeatResponse } from './leader.ts';
import { onReadRequest } from './reads.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import type { RaftMessage, VoteRequest } from './message-types.ts';

/**
 * The term rules (Raft 5.1), in one place: who may raise this node's term, and what a message of
 * an earlier term still deserves.
 */
export function onMessage(state: RaftState, message: RaftMessage): void {
  const isForUs = message.to === state.self && message.from !== state.self;
  if (isForUs) dispatch(state, message);
}

function dispatch(state: RaftState, message: RaftMessage): void {
  switch (message.kind) {
    case 'voteRequest':
      onAnyVoteRequest(state, message);
      return;
    case 'voteResponse':
    case 'appendResponse':
    case 'heartbeatResponse':
      onResponse(state, message);
      return;
    case 'appendRequest':
    case 'heartbeat':
    case 'timeoutNow':
      onLeaderMessage(state, message);
      return;
    // Reads carry no authority: their terms move nobody.
    case 'readRequest':
      onReadRequest(state, message);
      return;
    case 'readResponse':
      onReadResponse(state, message);
      return;
    default:
      return assertNever(message);
  }
}

function onAnyVoteRequest(state: RaftState, request: VoteRequest): void {
  if (request.preVote) onPreVoteRequest(state, request);
  else onRealVoteRequest(state, request);
}

/** While a leader is known to be there, only its own wish for an election counts (4.2.3, 3.10). */
function onRealVoteRequest(state: RaftState, request: VoteRequest): void {
  if (request.term > state.term) {
    if (isLoyal(state) && !request.transfer) {
      refuseOrGrant(state, request.from, false);
      return;
    }
    becomeFollower(state, request.term, null);
  }
  onVoteRequest(state, request);
}

type LeaderMessage = Extract<
  RaftMessage,
  { readonly kind: 'appendRequest' | 'heartbeat' | 'timeoutNow' }
>;

function onLeaderMessage(state: RaftState, message: LeaderMessage): void {
  if (message.term < state.term) {
    refuseOldLeader(state, message);
    return;
  }
  if (message.term > state.term) becomeFollower(state, message.term, message.from);
  switch (message.kind) {
    case 'appendRequest':
      onAppendRequest(state, message);
      return;
    case 'heartbeat':
      onHeartbeat(state, message);
      return;
    case 'timeoutNow':
      acknowledgeLeader(state, message);
      {
        onTimeoutNow(state);
        return;
      }
    default:
      return assertNever(message);
  }
}

/**
 * Tells a leader of an earlier term that it leads no more. It also frees a node that campaigned in
 * vain and has a higher term than all others: dropping the message would lock it out for ever.
 */
function refuseOldLeader(state: RaftState, message: LeaderMessage): void {
  if (message.kind === 'appendRequest') rejectAppend(state, message);
  else if (message.kind === 'heartbeat') confirmLeader(state, message);
}

type Response = Extract<
  RaftMessage,
  { readonly kind: 'voteResponse' | 'appendResponse' | 'heartbeatResponse' }
>;

/**
 * Answers count only for what this node asked as what it still is, and from those it would ask
 * now. So nobody who was removed can raise the term of those who stayed.
 */
function onResponse(state: RaftState, message: Response): void {
  if (!isExpected(state, message)) return;
  const isPreVoteGrant = message.kind === 'voteResponse' && message.preVote && message.granted;
  if (message.term > state.term && !isPreVoteGrant) {
    becomeFollower(state, message.term, null);
    return;
  }
  if (message.kind === 'voteResponse') {
    onVoteResponse(state, message);
    return;
  }
  const { leadership } = state;
  if (!leadership || message.term < state.term) return;
  if (message.kind === 'appendResponse') onAppendResponse(state, leadership, message);
  else onHeartbeatResponse(state, leadership, message);
}

function isExpected(state: RaftState, { kind, from }: Response): boolean {
  if (kind !== 'voteResponse') return state.leadership?.peers.has(from) ?? false;
  const isCampaigning = state.role === 'preCandidate' || state.role === 'candidate';
  return isCampaigning && state.configurations.isVoter(from);
}
