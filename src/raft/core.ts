import { assert, assertNever } from '../shared/index.ts';
import type { LogIndex, PeerId, Random } from '../shared/index.ts';
import { changeMembers } from './changes.ts';
import { onOwnVotePersisted, tickElection } from './election.ts';
import { readThroughLeader, tickForwardedReads } from './forwarded-reads.ts';
import { maxIndex, minIndex, next } from './indexes.ts';
import { CREDIT_HEARTBEATS_MAX } from './lease-reads.ts';
import { onOwnPersisted, proposeAsLeader, tickLeader } from './leader.ts';
import { onMessage } from './messages.ts';
import { Outbox } from './outbox.ts';
import { readAsLeader } from './reads.ts';
import { becomeFollower } from './roles.ts';
import {
  onCompacted,
  onSnapshotInstalled,
  onSnapshotReceived,
  onSnapshotSent,
} from './snapshots.ts';
import { RaftState } from './state.ts';
import { handOver, startTransfer, tickTransfer } from './transfer.ts';
import type { PeerView, RaftInput, RaftOutput, RaftView, Tag } from './step-types.ts';
import type { RaftInit } from './types.ts';

/**
 * One member of a Raft group: inputs go in, what they cause comes out, and nothing else happens.
 * It holds no entries, no clock and no randomness of its own. A broken invariant throws
 * InvariantError: the node must then stop.
 */
export class RaftCore {
  readonly #state: RaftState;
  #view: RaftView | null = null;

  constructor(init: RaftInit, random: Random) {
    this.#state = new RaftState(init, random);
  }

  /** Takes one input. All that has to happen because of it is in the output. */
  step(input: RaftInput): RaftOutput {
    const state = this.#state;
    const { role, leader, term } = state;
    state.outbox = new Outbox();
    this.#view = null;
    dispatch(state, input);
    const isChanged = role !== state.role || leader !== state.leader || term !== state.term;
    return close(state, isChanged);
  }

  /** How things stand after the last step; not to be kept beyond the next. */
  get view(): RaftView {
    this.#view ??= viewOf(this.#state);
    return this.#view;
  }
}

function dispatch(state: RaftState, input: RaftInput): void {
  switch (input.kind) {
    case 'tick':
      onTick(state, input);
      return;
    case 'message':
      onMessage(state, input.message);
      return;
    case 'persisted':
      onPersisted(state, input.sequence);
      return;
    case 'applied':
      onApplied(state, input.index);
      return;
    case 'propose':
    case 'changeMembers':
    case 'read':
    case 'transfer':
      onRequest(state, input);
      return;
    default:
      onNodeEvent(state, input);
      return;
  }
}

type Request = Extract<
  RaftInput,
  { readonly kind: 'propose' | 'changeMembers' | 'read' | 'transfer' }
>;

function onRequest(state: RaftState, request: Request): void {
  const { leadership } = state;
  switch (request.kind) {
    case 'propose':
      if (leadership) {
        proposeAsLeader(state, leadership, request.proposals);
        return;
      }
      for (const { tag } of request.proposals) refuseAsFollower(state, tag, 'append a command');
      return;
    case 'changeMembers':
      if (leadership) {
        changeMembers(state, leadership, request);
        return;
      }
      {
        refuseAsFollower(state, request.tag, 'change members');
        return;
      }
    case 'read':
      if (leadership) {
        readAsLeader(state, leadership, request);
        return;
      }
      {
        readThroughLeader(state, request.tag);
        return;
      }
    case 'transfer':
      if (leadership) {
        startTransfer(state, leadership, request);
        return;
      }
      {
        refuseAsFollower(state, request.tag, 'transfer leadership');
        return;
      }
    default:
      return assertNever(request);
  }
}

function refuseAsFollower(state: RaftState, tag: Tag, action: string): void {
  const message = `Cannot ${action} as leader: this node is a ${state.role}`;
  state.outbox.refuse(tag, 'notLeader', state.leader, message);
}

type Tick = Extract<RaftInput, { readonly kind: 'tick' }>;

type NodeEvent = Extract<
  RaftInput,
  {
    readonly kind:
      | 'compacted'
      | 'snapshotSent'
      | 'snapshotReceived'
      | 'snapshotInstalled'
      | 'diskStalled'
      | 'diskOk';
  }
>;

function onNodeEvent(state: RaftState, event: NodeEvent): void {
  switch (event.kind) {
    case 'compacted':
      onCompacted(state, event.base);
      return;
    case 'snapshotSent':
      onSnapshotSent(state, event);
      return;
    case 'snapshotReceived':
      onSnapshotReceived(state, event);
      return;
    case 'snapshotInstalled':
      onSnapshotInstalled(state, event.base);
      return;
    case 'diskStalled':
      onDiskStalled(state);
      return;
    case 'diskOk':
      state.isDiskStalled = false;
      return;
    default:
      return assertNever(event);
  }
}

/** The credit is capped, since a stalled process must depose nobody. */
function onTick(state: RaftState, { elapsedMs, nowMs }: Tick): void {
  assert(elapsedMs >= 0, `Elapsed time must not be negative, got ${elapsedMs}`);
  const creditMs = Math.min(elapsedMs, CREDIT_HEARTBEATS_MAX * state.settings.heartbeatMs);
  state.aliveMs += creditMs;
  tickTransfer(state, creditMs);
  if (state.leadership) tickLeader(state, state.leadership, { creditMs, nowMs });
  else {
    tickForwardedReads(state, creditMs);
    tickElection(state, creditMs);
  }
}

function onPersisted(state: RaftState, sequence: number): void {
  state.log.persisted(sequence);
  if (state.role === 'candidate') onOwnVotePersisted(state);
  if (state.leadership) onOwnPersisted(state, state.leadership);
}

function onApplied(state: RaftState, index: LogIndex): void {
  assert(
    index <= state.releasedIndex,
    `Entry ${index} must be released before it is applied, released is ${state.releasedIndex}`,
  );
  state.appliedIndex = maxIndex(state.appliedIndex, index);
}

/** A leader that cannot write is worse than none: it gives way to one that can. */
function onDiskStalled(state: RaftState): void {
  state.isDiskStalled = true;
  const { leadership } = state;
  if (leadership) handOver(state, leadership);
  if (state.role !== 'follower') becomeFollower(state, state.term, null);
}

function close(state: RaftState, isChanged: boolean): RaftOutput {
  const { log, term, vote, role, leader, outbox } = state;
  const persist = log.takeBatch(state.isHardStateDirty ? { term, vote } : null);
  state.isHardStateDirty = false;
  return outbox.close({
    persist,
    afterSequence: log.sequence,
    commitIndex: release(state),
    change: isChanged ? { role, leader, term } : null,
  });
}

/**
 * Committed entries are released once they are durable here as well, so that the state machine is
 * never ahead of its own log after a restart.
 */
function release(state: RaftState): LogIndex | null {
  if (state.installing !== null) return null;
  const index = minIndex(state.commitIndex, state.log.stableIndex);
  if (index <= state.releasedIndex) return null;
  state.releasedIndex = index;
  return index;
}

function viewOf(state: RaftState): RaftView {
  const { log, leadership } = state;
  return {
    role: state.role,
    term: state.term,
    leader: state.leader,
    commitIndex: state.commitIndex,
    appliedIndex: state.appliedIndex,
    lastIndex: log.lastIndex,
    firstIndex: next(log.base.index),
    configuration: state.configurations.current,
    leaderReady: leadership !== null && state.commitIndex >= leadership.noopIndex,
    // Rarely wanted, and a view is asked for with nearly every step.
    get peers() {
      return leadership ? peerViewsOf(leadership.peers) : [];
    },
  };
}

function peerViewsOf(peers: ReadonlyMap<PeerId, Omit<PeerView, 'peer'>>): readonly PeerView[] {
  return Array.from(peers, ([peer, { matchIndex, state, silentMs }]) => ({
    peer,
    matchIndex,
    state,
    silentMs,
  }));
}
