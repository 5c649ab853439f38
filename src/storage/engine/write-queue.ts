import type { Cancel, LogIndex } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import type { RowWrite } from '../../store/index.ts';
import type { Kv, KvWrite } from '../kv/kv.ts';
import type { Applied } from './engine-rows.ts';
import { appliedWrite, isEngineRow } from './engine-rows.ts';
import { sealed } from './sealed-row.ts';

/** What a queued row costs beside its bytes: buffers, map entry and key. */
const ENTRY_BYTES = 256;

interface Batch extends Mutable<Applied> {
  bytes: number;
  /** The newest write of each row. */
  readonly writes: Map<string, RowWrite>;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface WriteQueueInit {
  readonly kv: Kv;
  /** The database holds, durably, everything up to here. */
  readonly applied: Applied;
  /** `isFull` from here on. */
  readonly backlogBytesMax: number;
  /** Entries are gathered into batches of about this size. */
  readonly batchBytes: number;
  /** Runs its argument after a while in which further entries may join the batch. */
  readonly gather: (run: () => void) => Cancel;
  /** The row is in the database as this write says, and no newer write of it waits. */
  readonly onWritten: (key: string, write: RowWrite) => void;
  /** Once, on the first failed write. Everything asked for later fails with the same error. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Write-behind: one batch is in flight, the next ones gather: a batch costs much more than a row,
 * and nobody waits for it but `flush` and `drained`. Invariant: the database holds exactly
 * the writes of the entries up to the applied index that it states.
 */
export class WriteQueue {
  readonly #init: WriteQueueInit;
  /** Oldest first. */
  readonly #waiting: Batch[] = [];
  #writing: Batch | null = null;
  #waiters: Waiter[] = [];
  #bytes = 0;
  #running = false;
  #cancelGather: Cancel | null = null;
  #failure: Error | null = null;
  #lastIndex: LogIndex;
  #written: Applied;
  #durableIndex: LogIndex;
  /** Highest index that somebody wants durable. */
  #syncIndex: LogIndex;

  constructor(init: WriteQueueInit) {
    this.#init = init;
    this.#written = init.applied;
    this.#lastIndex = this.#durableIndex = this.#syncIndex = init.applied.index;
  }

  /** The newest index that was queued. */
  get lastIndex(): LogIndex {
    return this.#lastIndex;
  }

  get durableIndex(): LogIndex {
    return this.#durableIndex;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isFull(): boolean {
    return this.#bytes >= this.#init.backlogBytesMax;
  }

  /** undefined: not queued; null: its deletion is. */
  find(key: string): Uint8Array | null | undefined {
    return this.#newest(key)?.value;
  }

  add(index: LogIndex, writes: readonly RowWrite[], digest: number | null = null): void {
    this.#check();
    assert(index > this.#lastIndex, `Index ${index} must follow ${this.#lastIndex}`);
    const limit = 2 * this.#init.backlogBytesMax;
    assert(this.#bytes < limit, `The backlog must stay below ${limit} bytes: applying must pause`);
    this.#lastIndex = index;
    const batch = this.#gathering();
    batch.index = index;
    batch.digest = digest;
    for (const write of writes) this.#put(batch, write);
    this.#plan();
  }

  /** Resolves when the queue is not full. */
  drained(): Promise<void> {
    const drained = this.#until(() => !this.isFull);
    void this.#run();
    return drained;
  }

  /** Resolves when everything queued so far cannot be lost any more. */
  async flush(): Promise<LogIndex> {
    const wanted = this.#lastIndex;
    if (wanted > this.#syncIndex) this.#syncIndex = wanted;
    const durable = this.#until(() => this.#durableIndex >= wanted);
    void this.#run();
    await durable;
    return this.#durableIndex;
  }

  /** How much an entry adds is not known before: most of its rows may replace others. */
  #gathering(): Batch {
    const newest = this.#waiting.at(-1);
    if (newest && newest.bytes < this.#init.batchBytes) return newest;
    const batch = emptyBatch(this.#written);
    this.#waiting.push(batch);
    return batch;
  }

  #put(batch: Batch, write: RowWrite): void {
    assert(write.row.length > 0 && !isEngineRow(write.row), 'The row is not of the state machine');
    const key = keyOf(write.row);
    const replaced = batch.writes.get(key);
    const isUndone = write.value === null && replaced?.isValue === true;
    if (isUndone) batch.writes.delete(key);
    else batch.writes.set(key, write);
    const growth = (isUndone ? 0 : costOf(write)) - (replaced === undefined ? 0 : costOf(replaced));
    batch.bytes += growth;
    this.#bytes += growth;
  }

  #newest(key: string): RowWrite | undefined {
    for (let i = this.#waiting.length - 1; i >= 0; i--) {
      const write = this.#waiting[i]?.writes.get(key);
      if (write !== undefined) return write;
    }
    return this.#writing?.writes.get(key);
  }

  #plan(): void {
    if (this.#isPressed) void this.#run();
    else if (!this.#running) this.#cancelGather ??= this.#init.gather(() => void this.#run());
  }

  /** Whether what is there should be written without gathering more. */
  get #isPressed(): boolean {
    const isFlushing = this.#syncIndex > this.#durableIndex;
    const isFull = (this.#waiting[0]?.bytes ?? 0) >= this.#init.batchBytes;
    return isFlushing || isFull || this.#waiters.length > 0;
  }

  async #run(): Promise<void> {
    this.#cancelGather?.();
    this.#cancelGather = null;
    if (this.#running || this.#failure) return;
    this.#running = true;
    try {
      for (let batch = this.#next(); batch !== null; batch = this.#next()) {
        await this.#write(batch);
        if (!this.#isPressed) break;
      }
    } catch (error) {
      this.#fail(error as Error);
      return;
    } finally {
      this.#running = false;
    }
    if (this.#waiting.length > 0) this.#plan();
  }

  #next(): Batch | null {
    const batch = this.#waiting.shift();
    if (batch !== undefined) return batch;
    const isWanted = this.#syncIndex > this.#durableIndex;
    return isWanted ? emptyBatch(this.#written) : null;
  }

  /** A synced batch takes everything before it to the disk too. */
  async #write(batch: Batch): Promise<void> {
    const sync = this.#syncIndex > this.#durableIndex && batch.index >= this.#syncIndex;
    this.#writing = batch;
    await this.#init.kv.batch(storedWrites(batch), { sync });
    this.#writing = null;
    this.#written = { index: batch.index, digest: batch.digest };
    if (sync) this.#durableIndex = batch.index;
    this.#bytes -= batch.bytes;
    for (const [key, write] of batch.writes) {
      if (this.#newest(key) === undefined) this.#init.onWritten(key, write);
    }
    this.#wake();
  }

  #until(done: () => boolean): Promise<void> {
    if (this.#failure) return Promise.reject(this.#failure);
    if (done()) return Promise.resolve();
    return new Promise((resolve, reject) => this.#waiters.push({ done, resolve, reject }));
  }

  #wake(): void {
    if (this.#waiters.length === 0) return;
    const ready = this.#waiters.filter((waiter) => waiter.done());
    this.#waiters = this.#waiters.filter((waiter) => !ready.includes(waiter));
    for (const { resolve } of ready) resolve();
  }

  #fail(error: Error): void {
    this.#failure = error;
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const { reject } of waiters) reject(error);
    this.#init.onFailure(error);
  }

  #check(): void {
    if (this.#failure) throw this.#failure;
  }
}

/** Sealed while they are walked: the batch does not change any more. */
function* storedWrites(batch: Batch): Generator<KvWrite> {
  yield* sealed(batch.writes.values());
  yield appliedWrite(batch);
}

const emptyBatch = (applied: Applied): Batch => ({ ...applied, bytes: 0, writes: new Map() });

/** Up to here one call with many arguments is faster than a buffer. */
const argumentsMax = 64;

/** A row key as a key of maps. */
export const keyOf = (row: Uint8Array): string =>
  row.length <= argumentsMax
    ? String.fromCharCode.apply(null, row as unknown as number[])
    : Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('latin1');

const costOf = ({ row, value }: RowWrite): number =>
  ENTRY_BYTES + row.length + (value === null ? 0 : value.length);
