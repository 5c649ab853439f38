import type { LogIndex } from '../shared/index.ts';
import type { RowWrite } from './types.ts';

/** Rows from `from` (inclusive) up to `to` (exclusive), ordered as bytes; without limit when absent. */
export interface RowRange {
  readonly from?: Uint8Array;
  readonly to?: Uint8Array;
}

/**
 * Ordered rows below the state machine (RocksDB). Write-behind: batches reach the disk in order,
 * each with the applied index it belongs to, so a restart replays the log from there.
 */
export interface StateEngine {
  /** Applied index found at opening; 0 for an empty engine. */
  readonly openedAtIndex: LogIndex;
  /**
   * Digest of the state that belongs to it, as `enqueue` was told; null: nothing says it. Loaded rows
   * that give another one are not what was written: some batch is missing among them.
   */
  readonly openedDigest: number | null;
  /** Applied index that a power cut cannot take away any more. */
  readonly durableIndex: LogIndex;
  /** Every row of these ranges in key order, checksums verified; throws STORAGE_DAMAGED. */
  load(
    visit: (row: Uint8Array, value: Uint8Array) => void,
    ranges: readonly RowRange[],
  ): Promise<void>;
  /**
   * Queues the writes of the entry at `index`; visible to reads at once. Their bytes must not be
   * changed before they are written. `digest`: of the state after this entry.
   */
  enqueue(index: LogIndex, writes: readonly RowWrite[], digest?: number): void;
  /** True while the backlog is above its limit (64 MiB): applying must pause for `drained`. */
  readonly isFull: boolean;
  drained(): Promise<void>;
  /** From memory (queue or cache) only: undefined when the disk must be asked. */
  peek(row: Uint8Array): Uint8Array | null | undefined;
  read(row: Uint8Array): Promise<Uint8Array | null>;
  readMany(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  /**
   * A reader found no row where the state of the same moment names one: as bad as a damaged one, the
   * engine fails. Returns the STORAGE_DAMAGED for the reader, or the failure that was first.
   */
  missing(row: Uint8Array): Error;
  /** Writes and syncs everything queued; resolves with the durable index. */
  flush(): Promise<LogIndex>;
  /** Flushes and closes. */
  close(): Promise<void>;
}
