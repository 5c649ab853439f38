import type { PeerId, Term } from '../shared/index.ts';
import { abandonForwardedReads } from './forwarded-reads.ts';
import { abandonReads } from './reads.ts';
import type { RaftState } from './state.ts';
import { settleTransfer } from './transfer.ts';

/**
 * Follows `leader` (null: unknown yet) in `term`. At an equal term the vote stays: dropping it
 * would let this node vote twice.
 */
export function becomeFollower(state: RaftState, term: Term, leader: PeerId | null): void {
  if (term > state.term) state.adoptTerm(term);
  resign(state);
  state.role = 'follower';
  state.ballot.clear();
  state.resetElectionTimer();
  setLeader(state, leader);
}

/** Ends a leadership, if there is one, and everything that hung on it. */
function resign(state: RaftState): void {
  const { leadership } = state;
  if (!leadership) return;
  state.leadership = null;
  state.leader = null;
  abandonReads(state, leadership);
  const { removal } = leadership;
  if (!removal) return;
  const message = 'Cannot remove voters as leader: leadership was lost';
  state.outbox.refuse(removal.tag, 'notLeader', null, message);
}

/** All that waits for one leader must not be taken to be answered by another. */
export function setLeader(state: RaftState, leader: PeerId | null): void {
  if (state.leader === leader) return;
  state.leader = leader;
  abandonForwardedReads(state);
  settleTransfer(state);
}
