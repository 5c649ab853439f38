export { GossipCore } from './gossip-core.ts';
export type { GossipStatus } from './gossip-core.ts';
export { comparePrecedence, merge } from './precedence.ts';
export { gossipSettingsFor } from './settings.ts';
export type { GossipSettings } from './settings.ts';
export type {
  GossipEffect,
  GossipInit,
  GossipSelf,
  MemberView,
  OwnReport,
  OwnVerdict,
} from './types.ts';
