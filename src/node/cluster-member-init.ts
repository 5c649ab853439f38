import type { Config } from '../config/index.ts';
import type { Member } from '../raft/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import type { Logger } from '../shared/index.ts';
import type { SegmentedLog } from '../storage/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { GossipSockets, PeerTransport } from '../transport/index.ts';
import type { ReplicaSettings } from './replica/index.ts';
import type { Surroundings } from './surroundings.ts';
import type { Script } from './watching/index.ts';

/** What a node needs to be a member. */
export interface ClusterMemberInit {
  readonly config: Config;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly dataDirectory: string;
  readonly log: SegmentedLog;
  readonly replicaSettings: ReplicaSettings;
  readonly transport: PeerTransport;
  readonly sockets: GossipSockets;
  /** This node as it would have itself listed. */
  readonly self: Member;
  readonly epoch: number;
  /** Who let this node in, when that was in this session. */
  readonly host: Member | null;
  readonly saveEpoch: (epoch: number) => Promise<void>;
  readonly runner: ScriptRunner | null;
  readonly verification: Script | null;
  readonly notification: Script | null;
  readonly onFatal: (error: unknown) => void;
}
