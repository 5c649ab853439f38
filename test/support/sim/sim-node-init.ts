import type { MemberView } from '../../../src/gossip/index.ts';
import type { Configuration, Member, RaftMessage } from '../../../src/raft/index.ts';
import type { ClusterId } from '../../../src/shared/index.ts';
import type { Checker } from './checker.ts';
import type { Counts, FaultCounts } from './counts.ts';
import type { SentSnapshot } from './late-snapshot.ts';
import type { Profile } from './profile.ts';
import type { SimNetwork } from './sim-network.ts';
import type { SimNode } from './sim-node.ts';
import type { World } from './world.ts';

/** When a crash is most likely to find a mistake. */
export type Moment = 'voted' | 'leads' | 'writes' | 'compacted' | 'installs' | 'installed';

export interface SimNodeInit {
  readonly world: World;
  readonly network: SimNetwork;
  readonly checker: Checker;
  readonly counts: Counts;
  readonly faults: FaultCounts;
  readonly profile: Profile;
  readonly clusterId: ClusterId;
  /** As what it joins the cluster. */
  readonly member: Member;
  /** Of a cluster that it starts with; empty when it has to be let in. */
  readonly configuration: Configuration;
  /** What gossip would tell: who runs where. */
  readonly gossip: () => readonly MemberView[];
  /** A message of this node is to reach whom it is meant for, late, whatever became of the node. */
  readonly deliver: (from: SimNode, message: RaftMessage) => void;
  /** All of a snapshot was sent. */
  readonly onSnapshotSent: (sent: SentSnapshot) => void;
  readonly onUp: (node: SimNode) => void;
  readonly touch: (node: SimNode) => void;
  readonly onMoment: (node: SimNode, moment: Moment) => void;
  /** Its disk is not what it was; the process is down, and needs another one. */
  readonly onDamaged: (node: SimNode) => void;
}
