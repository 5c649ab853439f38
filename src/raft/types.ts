import type { Incarnation, LogIndex, NodeId, PeerId, Term } from '../shared/index.ts';

/** What an entry of the log carries. */
export type EntryKind = 'noop' | 'command' | 'configuration';

export interface Entry {
  readonly index: LogIndex;
  readonly term: Term;
  readonly kind: EntryKind;
  readonly payload: Uint8Array;
}

/** Term and vote: one atomic record, durable before any answer that depends on it. */
export interface HardState {
  readonly term: Term;
  readonly vote: PeerId | null;
}

/** learner: on its way to voter. observer: never promoted. */
export type MemberRole = 'voter' | 'learner' | 'observer';

/** Addresses are dial hints, unique in a configuration, and may change; identity does not. */
export interface Member {
  readonly nodeId: NodeId;
  readonly incarnation: Incarnation;
  readonly role: MemberRole;
  readonly zone: string;
  readonly raftAddress: string;
  readonly httpAddress: string;
  readonly gossipAddress: string;
}

/** Who the servers are. Takes effect when appended and rolls back when truncated (thesis 4.1). */
export interface Configuration {
  readonly members: readonly Member[];
  /** Voters of the configuration being left while a joint change is under way; else empty. */
  readonly outgoingVoters: readonly PeerId[];
  /** Incarnations that were removed, newest last, at most 256: they do not rejoin by themselves. */
  readonly removed: readonly PeerId[];
}

/** A configuration and the index of the entry that carries it (the base's index for the first). */
export interface IndexedConfiguration {
  readonly index: LogIndex;
  readonly configuration: Configuration;
}

/** What stands in place of the entries up to and including `index`. */
export interface LogBase {
  readonly index: LogIndex;
  readonly term: Term;
  /** The configuration in force at `index`, with the index of its own entry. */
  readonly configuration: IndexedConfiguration;
}

/** Everything that must become durable together, in this order: cut, then append. */
export interface PersistBatch {
  /** +1 per batch; comes back in the `persisted` input. */
  readonly sequence: number;
  /** Present when term or vote changed. */
  readonly hardState?: HardState;
  /** Contiguous. Entries at and above `entries[0].index` that the log holds are replaced. */
  readonly entries: readonly Entry[];
}

interface MessageHead {
  readonly from: PeerId;
  readonly to: PeerId;
  /** The sender's term; in a pre-vote request, and in its grant, the term of the campaign to be. */
  readonly term: Term;
}

export interface VoteRequest extends MessageHead {
  readonly kind: 'voteRequest';
  readonly preVote: boolean;
  readonly lastIndex: LogIndex;
  readonly lastTerm: Term;
  /** The old leader asked for this election: stickiness does not apply (thesis 3.10). */
  readonly transfer: boolean;
}

export interface VoteResponse extends MessageHead {
  readonly kind: 'voteResponse';
  readonly preVote: boolean;
  readonly granted: boolean;
}

export interface AppendRequest extends MessageHead {
  readonly kind: 'appendRequest';
  readonly previousIndex: LogIndex;
  readonly previousTerm: Term;
  /** Index of the last entry that the message carries; `previousIndex` when it carries none. */
  readonly lastIndex: LogIndex;
  /** Empty when it leaves the core: the driver fills previousIndex+1..lastIndex from its log. */
  readonly entries: readonly Entry[];
  readonly leaderCommit: LogIndex;
  /** Highest read round of the leader; echoed. */
  readonly readRound: number;
}

export interface AppendResponse extends MessageHead {
  readonly kind: 'appendResponse';
  readonly success: boolean;
  /** success: the last index verified by the request; else the request's `previousIndex`. */
  readonly index: LogIndex;
  /** On rejection: where the leader may go on (index and the responder's term there). */
  readonly hintIndex: LogIndex;
  readonly hintTerm: Term;
  readonly readRound: number;
}

/** Says "I lead" and carries the commit index that is safe for this peer. No log check. */
export interface Heartbeat extends MessageHead {
  readonly kind: 'heartbeat';
  /** At most the peer's match index. */
  readonly commit: LogIndex;
  readonly readRound: number;
}

export interface HeartbeatResponse extends MessageHead {
  readonly kind: 'heartbeatResponse';
  readonly readRound: number;
}

/** The leader asks its chosen successor to campaign at once (thesis 3.10). */
export interface TimeoutNow extends MessageHead {
  readonly kind: 'timeoutNow';
}

/** A follower asks the leader for a read index (thesis 6.4). */
export interface ReadRequest extends MessageHead {
  readonly kind: 'readRequest';
  readonly requestId: number;
}

export interface ReadResponse extends MessageHead {
  readonly kind: 'readResponse';
  readonly requestId: number;
  /** null: refused, ask again. */
  readonly index: LogIndex | null;
}

export type RaftMessage =
  | VoteRequest
  | VoteResponse
  | AppendRequest
  | AppendResponse
  | Heartbeat
  | HeartbeatResponse
  | TimeoutNow
  | ReadRequest
  | ReadResponse;

/** One change of the membership. At most one voter comes or goes in one change. */
export type MemberChange =
  /** Adds a learner or observer; replaces an older incarnation of the same node id. */
  | { readonly kind: 'add'; readonly member: Member }
  /** `safely`: a voter goes only when a majority of those that stay answers now. */
  | { readonly kind: 'remove'; readonly nodeId: NodeId; readonly safely?: boolean }
  /** Addresses and zone of a present incarnation. */
  | { readonly kind: 'update'; readonly member: Member };

/** Chosen by the driver; comes back in exactly one reply. */
export type Tag = number;

export type RaftInput =
  /** `elapsedMs`: monotonic time since the last tick; the core caps what it credits. */
  | { readonly kind: 'tick'; readonly elapsedMs: number }
  | { readonly kind: 'message'; readonly message: RaftMessage }
  | { readonly kind: 'propose'; readonly proposals: readonly Proposal[] }
  | { readonly kind: 'changeMembers'; readonly tag: Tag; readonly change: MemberChange }
  | { readonly kind: 'read'; readonly tag: Tag }
  /** Hands leadership to `to`, or to the best follower when null. */
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
  /** The voters that would stay have no majority that answers. Surely not appended. */
  | 'unreachable'
  /** The leader lost office or the round went unanswered. For reads and transfers only. */
  | 'abandoned';

export type Reply =
  /** Appended to the leader's log, not yet committed: the outcome shows when the index applies. */
  | { readonly kind: 'appended'; readonly tag: Tag; readonly index: LogIndex; readonly term: Term }
  /** Linearizable once the state machine has applied `index`. */
  | { readonly kind: 'readAt'; readonly tag: Tag; readonly index: LogIndex }
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

/** All times in milliseconds. */
export interface RaftSettings {
  readonly heartbeatMs: number;
  /** Election timeouts are drawn from [min, 2 * min). */
  readonly electionTimeoutMsMin: number;
  /** Most bytes of entries in one append message. */
  readonly appendBytesMax: number;
  /** Append messages on their way to one peer. */
  readonly inflightMessagesMax: number;
  readonly inflightBytesMax: number;
  /** Beyond this, proposals are refused as overloaded. */
  readonly uncommittedBytesMax: number;
  readonly pendingReadsMax: number;
}

/** Where the core starts: what the log holds after a restart. */
export interface RaftInit {
  readonly self: PeerId;
  readonly settings: RaftSettings;
  readonly hardState: HardState;
  readonly base: LogBase;
  /** Term runs above the base, ascending: each term with its first index. */
  readonly termRuns: readonly { readonly term: Term; readonly firstIndex: LogIndex }[];
  readonly lastIndex: LogIndex;
  /** Payload bytes of each entry from base.index+1 to lastIndex. */
  readonly entryBytes: readonly number[];
  /** Configurations above the base, ascending. */
  readonly configurations: readonly IndexedConfiguration[];
  /** What the state machine has; the commit index starts here. */
  readonly appliedIndex: LogIndex;
}
