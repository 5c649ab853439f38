export { RaftCore } from './core.ts';
export {
  applyMemberChanges,
  bootstrapConfiguration,
  emptyConfiguration,
  listedPeer,
  memberNamed,
  memberOf,
  peerIdOfMember,
  REMOVED_MAX,
  votersOf,
} from './membership.ts';
export type { ChangeResult } from './membership.ts';
export type { LogIdentity, LogStore, RaftTransport, RecoveredLog } from './ports.ts';
export { hasQuorum, majorityOf, quorumValue, voteOutcome } from './quorum.ts';
export type { Electorate, VoteOutcome } from './quorum.ts';
export { raftSettingsFor } from './settings.ts';
export type { RaftPreset } from './settings.ts';
export type {
  AppendRequest,
  AppendResponse,
  Heartbeat,
  HeartbeatResponse,
  RaftMessage,
  ReadRequest,
  ReadResponse,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from './message-types.ts';
export type {
  PeerView,
  Proposal,
  RaftInput,
  RaftOutput,
  RaftRole,
  RaftView,
  RefusalReason,
  Reply,
  Tag,
} from './step-types.ts';
export type {
  Configuration,
  Entry,
  EntryKind,
  HardState,
  IndexedConfiguration,
  LogBase,
  Member,
  MemberChange,
  MemberRole,
  PersistBatch,
  RaftInit,
  RaftSettings,
} from './types.ts';
