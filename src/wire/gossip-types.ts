import type { ClusterId, Incarnation, NodeId, SampleStatus, Verdict } from '../shared/index.ts';

/** `dead`: others found it so. `left`: it said so itself. */
export type MemberStatus = 'alive' | 'suspect' | 'dead' | 'left';

/** All that gossip says of one node. (epoch, counter) orders what is said: see merge(). */
export interface MemberRecord {
  readonly nodeId: NodeId;
  readonly incarnation: Incarnation;
  /** Of this start of the process; a restart always has a higher one. */
  readonly epoch: number;
  /** Raised by the node itself to refute a rumour or to come back. */
  readonly counter: number;
  readonly status: MemberStatus;
  /** host:port that others dial for gossip. */
  readonly address: string;
  readonly zone: string;
  readonly httpAddress: string;
  readonly raftAddress: string;
}

/** A record on its way. */
export interface MemberRumour {
  readonly record: MemberRecord;
  /** Who found a suspect silent; '' when it is passed on without evidence. */
  readonly accuser: NodeId | '';
  /** Seconds since a dead or left node ended; 0 for others. */
  readonly endedSeconds: number;
}

export interface FrameSender {
  readonly nodeId: NodeId;
  readonly epoch: number;
  readonly counter: number;
}

/** `target` receives or is asked for; `sequence` > 0 comes back in the ack. */
export interface Ping {
  readonly sequence: number;
  readonly target: NodeId;
}

/** What an owner says of a key; `gone`: nothing any more. */
export type PublishedVerdict = Verdict | 'gone';

export interface VerdictEntry {
  readonly keyId: number;
  readonly version: number;
  readonly valueRevision: number;
  readonly verdict: PublishedVerdict;
  /** Oldest first, at most SAMPLES_MAX. */
  readonly samples: readonly SampleStatus[];
}

/** Every live entry of the owner with a version in (fromExclusive, toInclusive], ascending. */
export interface VerdictSegment {
  readonly owner: NodeId;
  readonly epoch: number;
  readonly fromExclusive: number;
  readonly toInclusive: number;
  /** Tombstones up to this version are forgotten. */
  readonly floor: number;
  /** Starts again from 0: what is held up to toInclusive and is not listed is gone. */
  readonly reset: boolean;
  readonly entries: readonly VerdictEntry[];
}

/** Once per verification interval: what the owner's verdicts up to maxVersion rest on. */
export interface HealthReport {
  readonly owner: NodeId;
  readonly epoch: number;
  /** 1, 2, ... within the epoch. */
  readonly number: number;
  readonly maxVersion: number;
  /** Revision that the owner had applied when the oldest of its newest samples began. */
  readonly basis: number;
  /** Ids of keys whose verdict is too old to count, ascending. */
  readonly overdue: readonly number[];
}

export interface HealthHead {
  readonly owner: NodeId;
  readonly epoch: number;
  readonly maxVersion: number;
  readonly reportNumber: number;
}

export interface HealthDigest {
  readonly owner: NodeId;
  readonly epoch: number;
  /** All versions up to this one are held. */
  readonly contiguous: number;
  readonly floor: number;
  /** Newest report held; 0: none. */
  readonly reportNumber: number;
}

/** What opens a frame; the lists follow as items that were encoded one by one. */
export interface FrameOpening {
  readonly sender: FrameSender;
  readonly ping?: Ping;
  readonly pingRequest?: Ping;
  readonly ack?: number;
  readonly nack?: number;
  readonly sync?: boolean;
  readonly more?: boolean;
}

/** A decoded datagram, or one side of an exchange. */
export interface GossipFrame {
  readonly clusterId: ClusterId;
  readonly sender: FrameSender;
  readonly ping: Ping | null;
  readonly pingRequest: Ping | null;
  /** 0: none. */
  readonly ack: number;
  readonly nack: number;
  readonly sync: boolean;
  readonly more: boolean;
  readonly members: readonly MemberRumour[];
  readonly segments: readonly VerdictSegment[];
  readonly reports: readonly HealthReport[];
  readonly heads: readonly HealthHead[];
  readonly digests: readonly HealthDigest[];
}
