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
  /**
   * Voters of the configuration being left while a joint change is under way; else empty. Both sets
   * of voters must then agree, each by its own majority (thesis 4.3).
   */
  readonly outgoingVoters: readonly PeerId[];
  /** Outgoing voters that are no members any more: where to dial them until the change is over. */
  readonly leaving?: readonly Member[];
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

/** One change of the membership. Several may be made at once: they have one target. */
export type MemberChange =
  /** Adds a learner or observer; replaces an older incarnation of the same node id. */
  | { readonly kind: 'add'; readonly member: Member }
  /** Makes a learner or observer that keeps up a voter; the leader does so with learners itself. */
  | { readonly kind: 'promote'; readonly nodeId: NodeId }
  | {
      readonly kind: 'remove';
      readonly nodeId: NodeId;
      /** The name may have passed to another one since: only this one is to go. */
      readonly incarnation?: Incarnation;
      /** A voter goes only when a majority of those that stay answers now. */
      readonly safely?: boolean;
    }
  /** Addresses and zone of a present incarnation. */
  | { readonly kind: 'update'; readonly member: Member };

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
  /**
   * Reads of the leader need no round while it holds a lease. All voters must have it alike: a
   * restarted one then helps nobody to office before the promise of its last life has run out.
   * Unsafe where the monotonic clock stands still while others run, as in a paused machine.
   */
  readonly leaseReads: boolean;
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
