export { decodeBatch, decodeEnvelope, highestVersionIn } from './codec/command-decode.ts';
export { encodeBatch, encodeEnvelope } from './codec/command-encode.ts';
export { eventToJson } from './event-json.ts';
export type { EventJson } from './event-json.ts';
export { noSpaceMessage } from './key-operations.ts';
export { defaultKeyspace, storeLimits, supportedClusterVersion } from './limits.ts';
export { StateMachine } from './machine.ts';
export type { RowRange, StateEngine } from './ports.ts';
export { loadedRanges } from './rows.ts';
export { defaultDecisionSettings } from './settings-operations.ts';
export { tokenOf } from './token.ts';
export type { RowOf } from './transaction.ts';
export type {
  ApplyOutcome,
  CommandBatch,
  CommandResult,
  Compare,
  Envelope,
  HealthExpectation,
  KeyRecord,
  Notice,
  Operation,
  RowWrite,
  StoreLimits,
  StoreView,
} from './types.ts';
export { ValueRows } from './value-rows.ts';
