import type { RowRange } from '../../store/index.ts';

/** A row to write or, when `value` is null, to delete. Rows are never empty. */
export interface KvWrite {
  readonly row: Uint8Array;
  readonly value: Uint8Array | null;
}

export interface KvRow {
  readonly row: Uint8Array;
  readonly value: Uint8Array;
}

/** Walks the rows as they were when the cursor was made: whole batches or nothing of them. */
export interface KvCursor {
  /** Some next rows in order, about 256 KiB at most; empty at the end. One call at a time. */
  next(): Promise<readonly KvRow[]>;
  /** Lets go of the snapshot; may be called twice. */
  close(): Promise<void>;
}

/**
 * Ordered rows on disk. Bytes handed in may be reused when the call has settled; bytes handed out
 * must not be changed. Failures reject with STORAGE_FAILED, or STORAGE_DAMAGED when what is stored is not
 * what was written; the handle must not be used after one.
 */
export interface Kv {
  /**
   * Atomic. A process crash keeps every settled batch, a power cut keeps a prefix of the batches that
   * contains all up to the last synced one. A damaged disk may take any batch back, and nothing here
   * says so: callers tell by what is in the newest one. One at a time: the next only after this one
   * settled.
   * `writes` is walked once, perhaps over several turns, and must not be empty.
   */
  batch(writes: Iterable<KvWrite>, options: { readonly sync: boolean }): Promise<void>;
  get(row: Uint8Array): Promise<Uint8Array | null>;
  /** In the order of `rows`, all from one moment. */
  getMany(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]>;
  /** The snapshot is taken before the call returns. */
  iterate(range?: RowRange): KvCursor;
  close(): Promise<void>;
}

/** Where databases live: one directory each, one open handle each. */
export interface KvFactory {
  /**
   * Opens or creates the database, durably. Throws DATA_DIRECTORY_LOCKED when someone else holds it.
   */
  open(directory: string): Promise<Kv>;
  /** Names of the directories in `parent`, sorted; none when there is no `parent`. */
  list(parent: string): Promise<readonly string[]>;
  /** Deletes a closed database durably; nothing happens when there is none. */
  remove(directory: string): Promise<void>;
}
