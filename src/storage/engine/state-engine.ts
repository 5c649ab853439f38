import type { Cancel, LogIndex } from '../../shared/index.ts';
import { asIndex, assert, QuorateError } from '../../shared/index.ts';
import type { RowRange, RowWrite, StateEngine } from '../../store/index.ts';
import type { Kv, KvFactory } from '../kv/kv.ts';
import {
  appliedWrite,
  formatWrite,
  openStateCursor,
  readApplied,
  visitRows,
} from './engine-rows.ts';
import type { Applied, StateCursor } from './engine-rows.ts';
import { RowCache } from './row-cache.ts';
import { missingRow, unseal } from './sealed-row.ts';
import { keyOf, WriteQueue } from './write-queue.ts';

/** Sizes in bytes. */
export interface StateEngineSettings {
  /** Queued writes above this make the engine full. Twice as much is an error of the caller. */
  readonly backlogBytesMax: number;
  /** Rows kept in memory because they were written or read lately. */
  readonly cacheBytesMax: number;
  /** Entries are gathered into batches of about this size; one entry is never split. */
  readonly batchBytes: number;
}

export interface StateEngineInit {
  readonly kvFactory: KvFactory;
  /** `state-<generation>` in the data directory. */
  readonly directory: string;
  /**
   * Called at most once: a write or a read failed (STORAGE_FAILED) or a row is damaged
   * (STORAGE_DAMAGED). Every later call fails with the same error; the node must stop.
   */
  readonly onFailure: (error: Error) => void;
  /** Runs its argument after the gathering time of a batch; at once when absent. */
  readonly gather?: (run: () => void) => Cancel;
  readonly settings?: Partial<StateEngineSettings>;
}

/** The engine with what only snapshots and operators need. */
export interface SpoolableEngine extends StateEngine {
  /** Bytes that are queued and not written yet. */
  readonly backlogBytes: number;
  /**
   * All rows as of one applied index, while writing goes on; queued writes are not among them (flush
   * first where that matters). Close it before the engine.
   */
  openCursor(): Promise<StateCursor>;
}

const DEFAULTS: StateEngineSettings = {
  backlogBytesMax: 64 * 1024 * 1024,
  cacheBytesMax: 32 * 1024 * 1024,
  batchBytes: 4 * 1024 * 1024,
};

/** Rows asked of the database in one call; bounds what one call holds in memory. */
const READ_ROWS_MAX = 64;

/**
 * Opens the engine directory, or creates it. Throws DATA_DIRECTORY_LOCKED, STORAGE_FAILED,
 * STORAGE_DAMAGED (not filled to the end), CONFIG_INVALID (a later format).
 */
export async function openStateEngine(init: StateEngineInit): Promise<SpoolableEngine> {
  const kv = await init.kvFactory.open(init.directory);
  try {
    const applied = (await readApplied(kv)) ?? { index: asIndex(0), digest: null };
    // Synced: what a process crash left unsynced must be durable before it is called so.
    await kv.batch([formatWrite(), appliedWrite(applied)], { sync: true });
    return new KvStateEngine(kv, applied, init);
  } catch (error) {
    await kv.close();
    throw error;
  }
}

class KvStateEngine implements SpoolableEngine {
  readonly openedAtIndex: LogIndex;
  readonly openedDigest: number | null;
  readonly #kv: Kv;
  readonly #queue: WriteQueue;
  readonly #cache: RowCache;
  readonly #onFailure: (error: Error) => void;
  /** Newest reader of each row; writing the row ends its right to fill the cache. */
  readonly #readers = new Map<string, symbol>();
  #failure: Error | null = null;
  #closed: Promise<void> | null = null;

  constructor(kv: Kv, applied: Applied, init: StateEngineInit) {
    const settings = { ...DEFAULTS, ...init.settings };
    this.openedAtIndex = applied.index;
    this.openedDigest = applied.digest;
    this.#kv = kv;
    this.#onFailure = init.onFailure;
    this.#cache = new RowCache(settings.cacheBytesMax);
    this.#queue = new WriteQueue({
      ...settings,
      kv,
      applied,
      gather: init.gather ?? afterThisTurn,
      onWritten: (key, write) => this.#onWritten(key, write),
      onFailure: (error) => this.#fail(error),
    });
  }

  get durableIndex(): LogIndex {
    return this.#queue.durableIndex;
  }

  get isFull(): boolean {
    return this.#queue.isFull;
  }

  get backlogBytes(): number {
    return this.#queue.bytes;
  }

  async load(
    visit: (row: Uint8Array, value: Uint8Array) => void,
    ranges: readonly RowRange[],
  ): Promise<void> {
    await this.#guard(async () => {
      for (const range of ranges) await visitRows(this.#kv, range, visit);
    });
  }

  async openCursor(): Promise<StateCursor> {
    const cursor = await this.#guard(() => openStateCursor(this.#kv));
    return { ...cursor, next: () => this.#guard(() => cursor.next()) };
  }

  enqueue(index: LogIndex, writes: readonly RowWrite[], digest: number | null = null): void {
    if (this.#failure) throw this.#failure;
    this.#queue.add(index, writes, digest);
    if (this.#readers.size === 0) return;
    for (const { row } of writes) this.#readers.delete(keyOf(row));
  }

  drained(): Promise<void> {
    return this.#queue.drained();
  }

  peek(row: Uint8Array): Uint8Array | null | undefined {
    const key = keyOf(row);
    const queued = this.#queue.find(key);
    if (queued !== undefined) return queued;
    return this.#cache.get(key);
  }

  async read(row: Uint8Array): Promise<Uint8Array | null> {
    const [value] = await this.readMany([row]);
    assert(value !== undefined, 'One row was asked, one is answered');
    return value;
  }

  async readMany(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    if (this.#failure) throw this.#failure;
    const values = rows.map((row) => this.peek(row));
    const absent = [...values.keys()].filter((position) => values[position] === undefined);
    for (let start = 0; start < absent.length; start += READ_ROWS_MAX) {
      const positions = absent.slice(start, start + READ_ROWS_MAX);
      const found = await this.#readStored(positions.map((position) => rowAt(rows, position)));
      for (const [i, position] of positions.entries()) values[position] = found[i] ?? null;
    }
    return values.map((value) => value ?? null);
  }

  missing(row: Uint8Array): Error {
    const error = missingRow(row);
    this.#fail(error);
    return this.#failure ?? error;
  }

  async flush(): Promise<LogIndex> {
    return this.#guard(() => this.#queue.flush());
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    try {
      if (!this.#failure) await this.flush();
    } finally {
      this.#failure ??= new QuorateError('STOPPED', 'Cannot use the state engine: it is closed');
      await this.#kv.close();
    }
  }

  async #readStored(rows: readonly Uint8Array[]): Promise<readonly (Uint8Array | null)[]> {
    const reader = Symbol();
    for (const row of rows) this.#readers.set(keyOf(row), reader);
    return this.#guard(async () => {
      const sealed = await this.#kv.getMany(rows);
      return rows.map((row, i) => this.#accept(row, sealed[i] ?? null, reader));
    });
  }

  #accept(row: Uint8Array, sealed: Uint8Array | null, reader: symbol): Uint8Array | null {
    const key = keyOf(row);
    const value = sealed && unseal(row, sealed);
    if (this.#readers.get(key) !== reader) return value;
    this.#readers.delete(key);
    if (value !== null) this.#cache.set(key, value);
    return value;
  }

  #onWritten(key: string, { value, isValue }: RowWrite): void {
    if (value !== null && isValue) this.#cache.set(key, value);
    else this.#cache.delete(key);
  }

  async #guard<T>(action: () => Promise<T>): Promise<T> {
    if (this.#failure) throw this.#failure;
    try {
      return await action();
    } catch (error) {
      this.#fail(error as Error);
      throw error;
    }
  }

  #fail(error: Error): void {
    if (this.#failure) return;
    this.#failure = error;
    this.#onFailure(error);
  }
}

/** Entries that are applied in the same turn share a batch. */
function afterThisTurn(run: () => void): Cancel {
  let isCancelled = false;
  void Promise.resolve().then(() => {
    if (!isCancelled) run();
  });
  return () => (isCancelled = true);
}

function rowAt(rows: readonly Uint8Array[], position: number): Uint8Array {
  const row = rows[position];
  assert(row !== undefined, `No row at ${position}`);
  return row;
}
