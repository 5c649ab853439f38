import type {
  ClusterId,
  Incarnation,
  NodeId,
  Random,
  SampleStatus,
  Verdict,
} from '../shared/index.ts';
import type { MemberRecord } from '../wire/index.ts';
import type { GossipSettings } from './settings.ts';

/** What this node knows of one node, itself included. */
export type MemberView = MemberRecord;

export interface GossipSelf {
  readonly nodeId: NodeId;
  readonly incarnation: Incarnation;
  /** max(persisted + 1, Unix milliseconds at start): a restart always wins over its past. */
  readonly epoch: number;
  /** host:port that others dial. */
  readonly address: string;
  readonly zone: string;
  readonly httpAddress: string;
  readonly raftAddress: string;
}

export interface GossipInit {
  readonly clusterId: ClusterId;
  readonly self: GossipSelf;
  readonly settings: GossipSettings;
  readonly random: Random;
}

export interface OwnVerdict {
  /** Short id of a key: its create revision. */
  readonly keyId: number;
  readonly valueRevision: number;
  readonly verdict: Verdict;
  /** Oldest first; the newest ten travel. */
  readonly samples: readonly SampleStatus[];
}

export interface OwnReport {
  /** Revision that this node had applied when the oldest of its newest samples began. */
  readonly basis: number;
  /** Ids of keys whose verdict is too old to count, in any order. */
  readonly overdue: readonly number[];
}

/** What the driver has to do or may want to know, in order. */
export type GossipEffect =
  /** One datagram, at most packetBytesMax. */
  | { readonly kind: 'send'; readonly to: string; readonly bytes: Uint8Array }
  /** One request over TCP; its end is told by exchangeEnded(id, ...). */
  | {
      readonly kind: 'exchange';
      readonly id: number;
      readonly to: string;
      readonly bytes: Uint8Array;
      readonly timeoutMs: number;
    }
  | { readonly kind: 'member'; readonly member: MemberView }
  /** A long ended member is forgotten, its verdicts with it. */
  | { readonly kind: 'memberGone'; readonly nodeId: NodeId }
  | {
      readonly kind: 'verdict';
      readonly owner: NodeId;
      readonly epoch: number;
      readonly keyId: number;
      readonly valueRevision: number;
      readonly verdict: Verdict;
      readonly samples: readonly SampleStatus[];
    }
  | {
      readonly kind: 'verdictGone';
      readonly owner: NodeId;
      readonly epoch: number;
      readonly keyId: number;
    }
  /**
   * The owner's report number advanced and all verdicts it rests on were delivered before. A number
   * that was old when this process first heard of it is not delivered.
   */
  | {
      readonly kind: 'report';
      readonly owner: NodeId;
      readonly epoch: number;
      readonly number: number;
      readonly basis: number;
      readonly overdue: readonly number[];
    }
  /** The owner started again: nothing of its earlier epochs counts. */
  | { readonly kind: 'ownerReset'; readonly owner: NodeId; readonly epoch: number }
  /** An address given to join() answered. */
  | { readonly kind: 'joined'; readonly seed: string }
  /** This node had to raise its own epoch above a rumour about its past: keep it for the next start. */
  | { readonly kind: 'epochRaised'; readonly epoch: number }
  /** Another live process goes by this node's name. */
  | { readonly kind: 'conflict'; readonly nodeId: NodeId; readonly other: MemberView };

export type Emit = (effect: GossipEffect) => void;
