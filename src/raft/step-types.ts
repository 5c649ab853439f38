import type { LogIndex, PeerId, Term } from '../shared/index.ts';
import type { RaftMessage } from './message-types.ts';
import type { IndexedConfiguration, LogBase, MemberChange, PersistBatch } from './types.ts';

/** What goes into a step of the core, what comes out, and what can be seen between two steps. */

/** Chosen by the driver; comes back in exactly one reply. */
export type Tag = number;

export type RaftInput =
  /**
   * `elapsedMs`: monotonic time since the last tick; the core caps what it credits. `nowMs`: the
   * monotonic clock itself, for leases; without it there are none.
   */
  | { readonly kind: 'tick'; readonly elapsedMs: number; readonly nowMs?: number }
  | { readonly kind: 'message'; readonly message: RaftMessage }
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  /**
   * All changes at once. The reply names the entry that begins the change; one that touches the
   * voters is joint and over when a later configuration without outgoing voters is committed.
   */
  | {
      readonly kind: 'changeMembers';
      readonly tag: Tag;
      readonly changes: readonly MemberChange[];
      /** Refused as invalid unless the configuration in force is the one at this index. */
      readonly expectedIndex?: LogIndex | null;
    }
  /** `nowMs`: the monotonic clock, read after the read was asked for. */
  | { readonly kind: 'read'; readonly tag: Tag; readonly nowMs?: number }
  /** Hands leadership to the voter `to`, or to the best one when null. */
  | { readonly kind: 'transfer'; readonly tag: Tag; readonly to: PeerId | null }
  /** The batch with this sequence, and all before it, are durable. */
  | { readonly kind: 'persisted'; readonly sequence: number }
  | { readonly kind: 'applied'; readonly index: LogIndex }
  /** The log was cut: entries up to and including base.index are gone. */
  | { readonly kind: 'compacted'; readonly base: LogBase }
  /** A transfer that `sendSnapshot` asked for ended. `index`: what the peer now has. */
  | {
      readonly kind: 'snapshotSent';
      readonly to: PeerId;
      readonly index: LogIndex;
      readonly ok: boolean;
    }
  /** A whole, verified snapshot lies ready on this node; nothing is installed yet. */
  | {
      readonly kind: 'snapshotReceived';
      readonly from: PeerId;
      readonly term: Term;
      readonly base: LogBase;
    }
  /** The snapshot that `installSnapshot` named is installed and the log starts at its base. */
  | { readonly kind: 'snapshotInstalled'; readonly base: LogBase }
  /** The oldest unfinished persist is too old: step down and do not campaign until diskOk. */
  | { readonly kind: 'diskStalled' }
  | { readonly kind: 'diskOk' };

export interface Proposal {
  readonly tag: Tag;
  readonly payload: Uint8Array;
}

export type RefusalReason =
  /** Not the leader; `leader` says who is, if known. Surely not appended. */
  | 'notLeader'
  /** Too much is uncommitted or waiting. Surely not appended. */
  | 'overloaded'
  /** A change is under way, the leader's own no-op is not committed yet, or leadership moves. */
  | 'busy'
  /** The change makes no sense (last voter, unknown member, removed incarnation...). */
  | 'invalid'
  /**
   * The voters that would stay have no majority that answers, surely not appended; or the one that
   * is to lead does not.
   */
  | 'unreachable'
  /** The leader lost office or the round went unanswered. For reads and transfers only. */
  | 'abandoned';

export type Reply =
  /** Appended to the leader's log, not yet committed: the outcome shows when the index applies. */
  | { readonly kind: 'appended'; readonly tag: Tag; readonly index: LogIndex; readonly term: Term }
  /**
   * Linearizable once the state machine has applied `index`. `leaseUntilMs`: by lease, so only as
   * long as the monotonic clock has not reached this; ask again without `nowMs` then.
   */
  | {
      readonly kind: 'readAt';
      readonly tag: Tag;
      readonly index: LogIndex;
      readonly leaseUntilMs?: number;
    }
  | { readonly kind: 'transferred'; readonly tag: Tag }
  | {
      readonly kind: 'refused';
      readonly tag: Tag;
      readonly reason: RefusalReason;
      readonly leader: PeerId | null;
      readonly message: string;
    };

export type RaftRole = 'follower' | 'preCandidate' | 'candidate' | 'leader';

/** What one step wants done. A new object per step; arrays may be empty. */
export interface RaftOutput {
  /** At most one per step; batches become durable in sequence order. */
  readonly persist: PersistBatch | null;
  /**
   * May leave at once: appends, heartbeats and their answers, pre-votes and their answers, read
   * traffic. An answer to a heartbeat promises nothing that a crash could undo.
   */
  readonly messagesNow: readonly RaftMessage[];
  /**
   * Leave only when everything up to batch `afterSequence` is durable: votes, vote requests,
   * answers to appends. Ordered.
   */
  readonly messagesAfterPersist: readonly RaftMessage[];
  /** Sequence that messagesAfterPersist wait for (the newest batch handed out, this step's too). */
  readonly afterSequence: number;
  readonly replies: readonly Reply[];
  /** Entries up to here are committed and durable here: they may be applied. Null: unchanged. */
  readonly commitIndex: LogIndex | null;
  /** Set when role, term or known leader changed. */
  readonly change: {
    readonly role: RaftRole;
    readonly leader: PeerId | null;
    readonly term: Term;
  } | null;
  /** Set when the configuration in force changed (appended, rolled back or committed). */
  readonly configuration: IndexedConfiguration | null;
  /** Peers whose next entry is gone from the log: stream them a snapshot, then `snapshotSent`. */
  readonly sendSnapshots: readonly PeerId[];
  /** Install the received snapshot with this base, then `snapshotInstalled`. */
  readonly installSnapshot: LogBase | null;
  /** The received snapshot is stale or covered by the log: drop it. */
  readonly dropSnapshot: boolean;
}

/** Per-peer state a leader shows to operators. */
export interface PeerView {
  readonly peer: PeerId;
  readonly matchIndex: LogIndex;
  readonly state: 'probe' | 'replicate' | 'snapshot';
  /** Milliseconds of ticks since it last answered. */
  readonly silentMs: number;
}

/** A consistent look at the core between two steps. */
export interface RaftView {
  readonly role: RaftRole;
  readonly term: Term;
  readonly leader: PeerId | null;
  readonly commitIndex: LogIndex;
  readonly appliedIndex: LogIndex;
  readonly lastIndex: LogIndex;
  readonly firstIndex: LogIndex;
  readonly configuration: IndexedConfiguration;
  /** The leader's own no-op is committed: it may serve reads and change members. */
  readonly leaderReady: boolean;
  /** Empty unless leader. */
  readonly peers: readonly PeerView[];
}
