import type { RaftPreset, RaftSettings } from '../../raft/index.ts';
import { raftSettingsFor } from '../../raft/index.ts';
import type { LogSettings } from '../../storage/index.ts';
import { defaultLogSettings, snapshotChunkBytes } from '../../storage/index.ts';
import type { CompactionSettings } from './compactor.ts';

/** Sizes and times of a replica; the simulator uses tiny ones. */
export interface ReplicaSettings {
  readonly raft: RaftSettings;
  readonly log: LogSettings;
  readonly compaction: CompactionSettings;
  readonly tickMs: number;
  /** Commands that wait together share an entry up to this; it must fit in a record of the log. */
  readonly entryBytesMax: number;
  /** Newest entries kept in memory. */
  readonly cacheBytesMax: number;
  /** Size of a snapshot's chunks; the same on all nodes, so that one can go on where another ended. */
  readonly snapshotChunkBytes: number;
  /** A leader whose oldest disk write is older than this steps down; 2 s. */
  readonly diskStallMs?: number;
  /** The digest of the state is noted, and compared, after every so many entries; 10,000. */
  readonly digestEveryEntries?: number;
}

/** What operators choose. */
interface Choices {
  readonly leaseReads?: boolean;
  /** Milliseconds. */
  readonly diskStallTimeout?: number;
}

export function replicaSettingsFor(
  preset: RaftPreset,
  { leaseReads = false, diskStallTimeout }: Choices = {},
): ReplicaSettings {
  const raft = { ...raftSettingsFor(preset), leaseReads };
  return {
    raft,
    log: defaultLogSettings,
    compaction: {
      entriesMax: 50_000,
      bytesMax: 512 * 1024 * 1024,
      keepEntries: 10_000,
      checkMs: 5_000,
    },
    tickMs: Math.max(10, Math.floor(raft.heartbeatMs / 2)),
    entryBytesMax: 1024 * 1024,
    cacheBytesMax: 16 * 1024 * 1024,
    snapshotChunkBytes,
    ...(diskStallTimeout !== undefined && { diskStallMs: diskStallTimeout }),
  };
}
