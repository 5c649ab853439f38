export { ProtoReader } from './proto-reader.ts';
export { ProtoWriter } from './proto-writer.ts';
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
