import type { Baseline, NodeId, Revision, SampleStatus, Verdict } from '../shared/index.ts';

/** How long a request may wait for a leader before NO_LEADER, in milliseconds. */
export interface WaitOptions {
  readonly timeoutMs: number;
}

/** A numbered request of a client session: carried out once, however often it is sent. */
export interface ClientRequest {
  /** 1 to 64 visible ASCII characters. */
  readonly clientId: string;
  /** From 1 on. */
  readonly requestId: number;
}

export interface WriteOptions extends WaitOptions {
  readonly client?: ClientRequest;
}

/** `linearizable`: after every write acknowledged before. `local`: what this node has applied. */
export type Consistency = 'linearizable' | 'local';

export interface ReadOptions extends WaitOptions {
  readonly consistency: Consistency;
}

/** A key and its value as bytes. */
export type Pair = readonly [key: Uint8Array, value: Uint8Array];

/** A live key without its value. */
export interface KeySummary {
  readonly key: string;
  readonly createRevision: Revision;
  readonly modRevision: Revision;
  /** 1 on creation, +1 per put. */
  readonly version: number;
  /** When its bytes last changed. */
  readonly valueRevision: Revision;
  readonly valueBytes: number;
}

export interface KeyQuery {
  /** '' for all. */
  readonly prefix: string;
  /** Only keys strictly behind this one in byte order; '' for all. */
  readonly after: string;
  readonly limit: number;
}

export interface Sample {
  readonly status: SampleStatus;
  /** Unix milliseconds at which the run ended. */
  readonly atMs: number;
}

/** This node's own samples of a key. */
export interface KeySamples {
  readonly key: string;
  /** Oldest first. */
  readonly samples: readonly Sample[];
}

/** A member's verdict as this node has heard it. */
export interface HeardVerdict {
  readonly gossipAddress: string;
  readonly verdict: Verdict | 'ABSTAIN';
  /** Unix milliseconds at which this node heard it; 0: never. */
  readonly heardAtMs: number;
}

/** What this node knows about the agreement on a key. */
export interface KeyConsensus {
  readonly key: string;
  /** Unix milliseconds of the replicated clock; 0: never. */
  readonly prevEventAtMs: number;
  readonly prevConsensus: Baseline | '';
  readonly empty: boolean;
  /** Unix milliseconds of the replicated clock; 0: never. */
  readonly emptyAtMs: number;
  readonly votes: readonly HeardVerdict[];
}

/** A member's vote on a key as this node sees it. */
export interface HealthVote {
  readonly node: NodeId;
  readonly zone: string;
  readonly verdict: Verdict | 'ABSTAIN';
  /** Oldest first. */
  readonly samples: readonly SampleStatus[];
  /** Milliseconds since its last report came; -1: none came. */
  readonly ageMs: number;
  /** Its last report is young enough to count. */
  readonly fresh: boolean;
  /** Why it abstains; '' when it counts. */
  readonly why: string;
}

/** One key's health: the replicated state, this node's view, and what the leader decides about it. */
export interface KeyHealthView {
  readonly key: string;
  readonly valueRevision: Revision;
  /** The baseline; '' before the first agreement. */
  readonly state: Baseline | '';
  readonly empty: boolean;
  /** The node that decides; null when it did not answer. */
  readonly decidedBy: NodeId | null;
  /** Its reasons in one sentence; '' when it did not answer. */
  readonly reason: string;
  /** The same when something is agreed on and is no event yet, else null. */
  readonly waiting: string | null;
  readonly votes: readonly HealthVote[];
  /** This node's newest sample and what its script printed. */
  readonly lastSample: (Sample & { readonly detail: string }) | null;
}

/** An event in the public JSON shape (`{"id","token","key",...,"notification"}`). */
export type EventJson = Readonly<Record<string, unknown>>;

export interface EventQuery {
  /** Only events of this key; '' for all. */
  readonly key: string;
  readonly limit: number;
}

export interface LeaderAddresses {
  readonly raft: string;
  readonly http: string;
}

export interface MemberSummary {
  readonly id: NodeId;
  readonly incarnation: string;
  readonly role: 'leader' | 'voter' | 'learner' | 'observer';
  readonly zone: string;
  readonly addresses: { readonly http: string; readonly raft: string; readonly gossip: string };
  /** Highest log index known to be on that member; null when nobody can tell. */
  readonly matchIndex: number | null;
  /** Milliseconds since the leader last heard from it; null when nobody can tell. */
  readonly lastContactMs: number | null;
}

/** Whether Raft and gossip know the same node ids. */
export interface MembersConsensus {
  readonly same: boolean;
  readonly raft: readonly string[];
  readonly gossip: readonly string[];
}

export interface Readiness {
  readonly ready: boolean;
  /** Why it is not ready, one line each. */
  readonly problems: readonly string[];
  /** What an operator should know although it is ready, one line each. */
  readonly warnings: readonly string[];
}

/** What clients may do to the store: any node takes it and forwards what only the leader can do. */
export interface StoreApi {
  /**
   * Resolves when committed and applied. Rejects with TOO_LARGE, STORE_FULL, NO_LEADER (surely not
   * appended), UNKNOWN_OUTCOME, OVERLOADED, STOPPED or, with a client, SESSION_EXPIRED.
   */
  set(key: string, value: string, options: WriteOptions): Promise<void>;
  /** Resolves also when there was no such key. Rejects as `set` does. */
  del(key: string, options: WriteOptions): Promise<void>;
  /** The value's bytes, null without the key. Rejects with NO_LEADER, OVERLOADED or STOPPED. */
  get(key: string, options: ReadOptions): Promise<Uint8Array | null>;
  /**
   * All pairs of this node's store in byte order of the keys, in batches of at most about 1 MiB.
   * Read slowly and perhaps abandoned half-way (`return()`); need not be of one instant. While a
   * snapshot is being installed a batch may wait for `timeoutMs`, and then fails with OVERLOADED.
   */
  pairs(timeoutMs: number): AsyncIterable<readonly Pair[]>;
  /** This node's keys in byte order. */
  keys(query: KeyQuery): Iterable<KeySummary>;
}

/** What the node knows about the health of keys. Iterables are read lazily, across event-loop turns. */
export interface WatchApi {
  samples(): Iterable<KeySamples>;
  samplesOf(key: string): KeySamples | undefined;
  consensus(): Iterable<KeyConsensus>;
  consensusOf(key: string): KeyConsensus | undefined;
  /** This node's keys in byte order. */
  health(query: KeyQuery): Promise<Iterable<KeyHealthView>>;
  healthOf(key: string): Promise<KeyHealthView | undefined>;
  /** Newest first. */
  events(query: EventQuery): Iterable<EventJson>;
  event(id: Revision): EventJson | undefined;
}

/** Who is in the cluster, and changes to that. */
export interface ClusterApi {
  /** At once, from what this node knows. */
  leader(): LeaderAddresses | null;
  /** Raft addresses of all members, in any order. */
  raftAddresses(): readonly string[];
  /** Gossip addresses of those alive or suspected, in any order. */
  gossipAddresses(): readonly string[];
  membersConsensus(): MembersConsensus;
  members(): Promise<readonly MemberSummary[]>;
  /** Rejects with UNREACHABLE, CONFLICT (its id or data belong elsewhere) or as `set` does. */
  join(raftAddress: string, options: WaitOptions): Promise<void>;
  /** Rejects with NOT_FOUND, CONFLICT (last voter, no majority, another incarnation) or as `set` does. */
  leave(raftAddress: string, options: WaitOptions & { readonly force: boolean }): Promise<void>;
  /**
   * Resolves once the member of this id leads. Rejects with NOT_FOUND, CONFLICT (it is no voter),
   * UNKNOWN_OUTCOME when that did not happen in time, or NO_LEADER.
   */
  transfer(nodeId: string, options: WaitOptions): Promise<void>;
  /** Rejects with UNREACHABLE, its message naming who did not answer. */
  gossipJoin(gossipAddresses: readonly string[], options: WaitOptions): Promise<void>;
  /** The node stays out and abstains until `gossipJoin` or a restart. */
  gossipLeave(): Promise<void>;
  readiness(): Readiness;
}

/**
 * What the HTTP routes need of a node. Value types only. Every expected failure is a QuorateError;
 * anything else is answered with 500 and logged.
 */
export interface NodeApi {
  readonly store: StoreApi;
  readonly watch: WatchApi;
  readonly cluster: ClusterApi;
}

/** Where requests are counted and how `/metrics` is made. */
export interface HttpMetrics {
  /** `route` is one of a fixed set of patterns such as `/status/{key}`. */
  observeRequest(route: string, status: number, seconds: number): void;
  /** Content type of what `render` returns. */
  readonly contentType: string;
  render(): Promise<string>;
}
