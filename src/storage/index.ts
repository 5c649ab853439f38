export { writeFully } from './files/files.ts';
export type { Files, OpenFile, OpenMode } from './files/files.ts';
export { MemoryDisk } from './files/memory-files.ts';
export type { FileFault, FileOperation, MemoryDiskHooks } from './files/memory-files.ts';
export { nodeFiles } from './files/node-files.ts';
export { createLog, openLog } from './log/open-log.ts';
export type { NewLog } from './log/open-log.ts';
export type { LogPlace } from './log/recovery.ts';
export type { LogUsage, SegmentedLog } from './log/segmented-log.ts';
export { defaultLogSettings } from './log/settings.ts';
export type { LogSettings } from './log/settings.ts';
export type { Kv, KvCursor, KvFactory, KvRange, KvRow, KvWrite } from './kv/kv.ts';
export { rocksKvFactory } from './kv/rocks-kv.ts';
export type { RocksKvSettings } from './kv/rocks-kv.ts';
export { MemoryKvDisk } from './kv/memory-kv.ts';
export type { KvFault, KvOperation, MemoryKvHooks } from './kv/memory-kv.ts';
export type { StateCursor } from './engine/engine-rows.ts';
export { openStateEngine } from './engine/state-engine.ts';
export type {
  SpoolableEngine,
  StateEngineInit,
  StateEngineSettings,
} from './engine/state-engine.ts';
export type { SnapshotHeader } from './snapshot/header.ts';
export { installSnapshot, removeOtherGenerations, stateDirectory } from './snapshot/install.ts';
export type { InstalledState, InstallInit } from './snapshot/install.ts';
export { listSnapshots, pruneSnapshots } from './snapshot/snapshot-directory.ts';
export type { SnapshotFile } from './snapshot/snapshot-directory.ts';
export { openSnapshotReceiver } from './snapshot/snapshot-receiver.ts';
export type { ReceiverInit, SnapshotReceiver } from './snapshot/snapshot-receiver.ts';
export { spoolSnapshot } from './snapshot/spool.ts';
export type { SpooledSnapshot, SpoolInit } from './snapshot/spool.ts';
export { openSnapshot, readSnapshotHeader } from './snapshot/stored-snapshot.ts';
export type { SnapshotIdentity, SnapshotMeta, StoredSnapshot } from './snapshot/stored-snapshot.ts';
