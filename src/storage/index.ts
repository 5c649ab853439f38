export { writeFully } from './files/files.ts';
export type { Files, OpenFile, OpenMode } from './files/files.ts';
export { MemoryDisk } from './files/memory-files.ts';
export type { FileFault, FileOperation, MemoryDiskHooks } from './files/memory-mount.ts';
export { nodeFiles } from './files/node-files.ts';
export { inspectLog } from './log/inspection.ts';
export type { LogFinding, LogInspection, LogVisitor } from './log/inspection.ts';
export type { SegmentSummary } from './log/segment-summary.ts';
export { createLog, openLog } from './log/open-log.ts';
export type { NewLog } from './log/open-log.ts';
export type { LogPlace } from './log/recovery.ts';
export type { LogUsage, SegmentedLog } from './log/segmented-log.ts';
export { defaultLogSettings, RESERVE_BYTES, ROOMY_FACTOR } from './log/settings.ts';
export type { LogSettings } from './log/settings.ts';
export type { Kv, KvCursor, KvFactory, KvRow } from './kv/kv.ts';
export { readOnlyRocksKvFactory, rocksKvFactory } from './kv/rocks-kv.ts';
export { MemoryKvDisk } from './kv/memory-kv.ts';
export type { KvOperation, MemoryKvHooks } from './kv/memory-kv.ts';
export { openStateEngine } from './engine/state-engine.ts';
export { verifyState } from './engine/verify-state.ts';
export type { StateVerification } from './engine/verify-state.ts';
export type { SpoolableEngine, StateEngineSettings } from './engine/state-engine.ts';
export { installSnapshot, removeOtherGenerations, stateDirectory } from './snapshot/install.ts';
export type { InstalledState } from './snapshot/install.ts';
export { isLackOfRoom } from './snapshot/room.ts';
export {
  listSnapshots,
  removeLeftovers,
  removeSnapshots,
  snapshotDirectory,
} from './snapshot/snapshot-directory.ts';
export { openSnapshotReceiver } from './snapshot/snapshot-receiver.ts';
export type { SnapshotReceiver } from './snapshot/snapshot-receiver.ts';
export { snapshotChunkBytes, spoolSnapshot } from './snapshot/spool.ts';
export { verifySnapshot } from './snapshot/verify-snapshot.ts';
export { openSnapshot, readSnapshotHeader } from './snapshot/stored-snapshot.ts';
export type { SnapshotIdentity, SnapshotMeta, StoredSnapshot } from './snapshot/stored-snapshot.ts';
