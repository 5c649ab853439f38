export { RaftCore } from './core.ts';
export {
  applyMemberChange,
  bootstrapConfiguration,
  emptyConfiguration,
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
  Configuration,
  Entry,
  EntryKind,
  HardState,
  Heartbeat,
  HeartbeatResponse,
  IndexedConfiguration,
  LogBase,
  Member,
  MemberChange,
  MemberRole,
  PeerView,
  PersistBatch,
  Proposal,
  RaftInit,
  RaftInput,
  RaftMessage,
  RaftOutput,
  RaftRole,
  RaftSettings,
  RaftView,
  ReadRequest,
  ReadResponse,
  RefusalReason,
  Reply,
  Tag,
  TimeoutNow,
  VoteRequest,
  VoteResponse,
} from './types.ts';
