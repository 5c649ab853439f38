import type { Config } from '../config/index.ts';
import { GossipCore, gossipSettingsFor } from '../gossip/index.ts';
import type { Member } from '../raft/index.ts';
import type { SegmentedLog } from '../storage/index.ts';
import type { Surroundings } from './surroundings.ts';

export interface GossipCoreOf {
  readonly config: Config;
  readonly surroundings: Surroundings;
  readonly log: SegmentedLog;
  readonly self: Member;
  readonly epoch: number;
}

/** The gossip core of a member, under the identity that its log has. */
export function gossipCoreOf(init: GossipCoreOf): GossipCore {
  const { config, surroundings, self, epoch, log } = init;
  return new GossipCore({
    clusterId: log.recovered.identity.clusterId,
    self: {
      nodeId: self.nodeId,
      incarnation: log.recovered.identity.incarnation,
      epoch,
      address: self.gossipAddress,
      zone: self.zone,
      httpAddress: self.httpAddress,
      raftAddress: self.raftAddress,
    },
    settings: gossipSettingsFor(config.profile),
    random: surroundings.random,
  });
}
