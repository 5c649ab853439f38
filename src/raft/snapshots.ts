import { assert } from '../shared/index.ts';
import type { LogIndex } from '../shared/index.ts';
import { commitTo } from './committing.ts';
import { maxIndex, minIndex, ZERO_INDEX, ZERO_TERM } from './indexes.ts';
import { replicateTo } from './replication.ts';
import { becomeFollower } from './roles.ts';
import type { RaftState } from './state.ts';
import type { RaftInput } from './step-types.ts';
import type { LogBase } from './types.ts';

/** Snapshots (Raft 7): where a log begins again. */

type InputOf<Kind extends RaftInput['kind']> = Extract<RaftInput, { readonly kind: Kind }>;

/** The log was cut. */
export function onCompacted(state: RaftState, base: LogBase): void {
  if (base.index <= state.log.base.index) return;
  assert(base.index <= state.releasedIndex, `Base ${base.index} must be committed to be cut`);
  state.log.compact(base);
  state.configurations.compact(base);
}

/** A transfer to a peer ended: a probe finds out how far the peer is. */
export function onSnapshotSent(state: RaftState, input: InputOf<'snapshotSent'>): void {
  const { leadership, log } = state;
  const progress = leadership?.peers.get(input.to);
  if (!leadership || progress?.state !== 'snapshot') return;
  progress.snapshotEnded(minIndex(input.index, log.lastIndex), input.ok);
  replicateTo(state, leadership, input.to);
}

/**
 * A snapshot lies ready. It holds committed state, so its contents are good whatever its term; it
 * is installed only when it is ahead of what this node knows to be committed and of its log.
 */
export function onSnapshotReceived(state: RaftState, input: InputOf<'snapshotReceived'>): void {
  const { base, term } = input;
  if (term > state.term) becomeFollower(state, term, null);
  if (!isWanted(state, base)) {
    state.outbox.dropSnapshot = true;
    return;
  }
  if (state.role !== 'follower') becomeFollower(state, state.term, null);
  state.installing = base;
  state.outbox.installSnapshot = base;
}

function isWanted(state: RaftState, base: LogBase): boolean {
  if (state.installing !== null || base.index <= state.commitIndex) return false;
  // A leader's log holds all that is committed: its quorum says what is.
  if (state.role === 'leader') return false;
  if (!state.log.holds(base.index, base.term)) return true;
  commitTo(state, base.index);
  reportHeld(state, base.index);
  return false;
}

/** The log starts at the installed snapshot, and nothing else of it is left. */
export function onSnapshotInstalled(state: RaftState, base: LogBase): void {
  assert(
    state.installing?.index === base.index,
    `Snapshot ${base.index} must be the one being installed`,
  );
  state.installing = null;
  state.log.reset(base);
  state.configurations.reset(base);
  state.announceConfiguration();
  state.commitIndex = base.index;
  state.releasedIndex = base.index;
  state.appliedIndex = maxIndex(state.appliedIndex, base.index);
  reportHeld(state, base.index);
}

/** Spares the leader a probe. */
function reportHeld(state: RaftState, index: LogIndex): void {
  const { leader } = state;
  if (leader === null || leader === state.self) return;
  const hint = { hintIndex: ZERO_INDEX, hintTerm: ZERO_TERM };
  state.outbox.afterPersist({
    ...{ kind: 'appendResponse', ...state.head(leader), success: true, index, ...hint },
    readRound: 0,
  });
}
