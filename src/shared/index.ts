export { assert, assertNever, InvariantError } from './assert.ts';
export { compareBytes, equalBytes, fromUtf8, utf8 } from './bytes.ts';
export { crc32c } from './crc32c.ts';
export { codeOf, QuorateError } from './errors.ts';
export type { ErrorCode } from './errors.ts';
export {
  asClusterId,
  asIncarnation,
  asIndex,
  asNodeId,
  asPeerId,
  asRevision,
  asTerm,
  peerIdOf,
} from './ids.ts';
export type { ClusterId, Incarnation, LogIndex, NodeId, PeerId, Revision, Term } from './ids.ts';
export { firstOf } from './first-of.ts';
export { pause } from './pause.ts';
export type { Cancel, Clock, Logger, Random } from './ports.ts';
export { seededRandom } from './prng.ts';
export { rfc3339 } from './rfc3339.ts';
export { splitCommand } from './split-command.ts';
export type { CommandLine } from './split-command.ts';
export { kindOf } from './watching.ts';
export type {
  Baseline,
  DecisionSettings,
  EventKind,
  EventRecord,
  EventStatus,
  Evidence,
  EvidenceVote,
  KeyHealth,
  NotificationAttempt,
  NotificationState,
  SampleStatus,
  Verdict,
} from './watching.ts';
export { isLaterLineage, isSameOrigin, lineageOf, withLineage } from './lineage.ts';
