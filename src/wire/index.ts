export { ProtoReader } from './proto-reader.ts';
export { ProtoWriter } from './proto-writer.ts';
export { writerFor } from './writer-for.ts';
export {
  decodeConfiguration,
  decodeEntry,
  decodeHardState,
  encodeConfiguration,
  encodeEntry,
  encodeHardState,
} from './raft-codec.ts';
export { decodeRaftMessage, encodeRaftMessage } from './raft-message-codec.ts';
export type {
  WireBody,
  WireBodyOf,
  WireConfiguration,
  WireEntry,
  WireHardState,
  WireHead,
  WireMember,
  WireRaftMessage,
} from './raft-types.ts';
export {
  decodeFields,
  decodeProposeRequest,
  decodeProposeResponse,
  encodeFields,
  encodeProposeRequest,
  encodeProposeResponse,
} from './call-codec.ts';
export type { WireOutcome } from './call-codec.ts';
export {
  decodeFrame,
  encodeDigest,
  encodeHead,
  encodeMember,
  encodeOpening,
  encodeReport,
  encodeSegment,
  joinParts,
} from './gossip-codec.ts';
export { gossipLimits } from './gossip-fields.ts';
export { entryBytes } from './gossip-health-codec.ts';
export type {
  FrameOpening,
  FrameSender,
  GossipFrame,
  HealthDigest,
  HealthHead,
  HealthReport,
  MemberRecord,
  MemberRumour,
  MemberStatus,
  Ping,
  PublishedVerdict,
  VerdictEntry,
  VerdictSegment,
} from './gossip-types.ts';
