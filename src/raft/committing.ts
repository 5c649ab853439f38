import { assert } from '../shared/index.ts';
import type { LogIndex } from '../shared/index.ts';
import { leaveJoint } from './changes.ts';
import { costBetween } from './costs.ts';
import type { Leadership } from './leadership.ts';
import { quorumValue } from './quorum.ts';
import { startRound } from './reads.ts';
import { sendCommit } from './replication.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import { handOver } from './transfer.ts';

/** Raises the commit index. Invariant: what is committed is in the log and stays. */
export function commitTo(state: RaftState, index: LogIndex): void {
  assert(index <= state.log.lastIndex, `Commit ${index} must be in the log`);
  if (index <= state.commitIndex) return;
  const configurationIndex = state.configurations.current.index;
  const commits = configurationIndex > state.commitIndex && configurationIndex <= index;
  state.commitIndex = index;
  if (commits) state.announceConfiguration();
}

/**
 * Commits what a quorum holds durably. Only an entry of the leader's own term is counted; earlier
 * ones are committed with it (Raft 5.4.2). May end the leadership.
 */
export function commitByQuorum(state: RaftState, leadership: Leadership): void {
  const { log, commitIndex } = state;
  const index = quorumValue(state.configurations.electorate, (peer) =>
    peer === state.self ? log.stableIndex : (leadership.peers.get(peer)?.matchIndex ?? 0),
  ) as LogIndex;
  if (index <= commitIndex || log.termAt(index) !== state.term) return;
  leadership.uncommittedBytes -= costBetween(state, commitIndex, index);
  commitTo(state, index);
  startRound(state, leadership);
  leaveJoint(state, leadership);
  retireIfRemoved(state, leadership);
}

/** A leader that is no voter any more leads until the entry that says so is committed (4.2.2). */
function retireIfRemoved(state: RaftState, leadership: Leadership): void {
  if (state.configurations.isVoter(state.self)) return;
  if (state.configurations.current.index > state.commitIndex) return;
  for (const peer of leadership.peers.keys()) sendCommit(state, leadership, peer);
  handOver(state, leadership);
  becomeFollower(state, state.term, null);
}
