import type { LogIndex } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import type { RowWrite } from '../../store/index.ts';
import type { Kv, KvWrite } from '../kv/kv.ts';
import { appliedWrite, isEngineRow } from './engine-rows.ts';
import { seal, valueOf } from './sealed-row.ts';

/** What a queued row costs beside its bytes: buffer, map entry, key and list entries. */
const ENTRY_BYTES = 256;

/** A row's newest write that is not in the database yet. */
interface QueuedRow {
  readonly batch: Batch;
  readonly sealed: Uint8Array | null;
}

interface Batch {
  /** The applied index that it reaches. */
  index: LogIndex;
  bytes: number;
  readonly keys: string[];
  readonly writes: KvWrite[];
}

interface Waiter {
  readonly done: () => boolean;
  readonly resolve: () => void;
  readonly reject: (error: Error) => void;
}

export interface WriteQueueInit {
  readonly kv: Kv;
  /** The database holds, durably, everything up to here. */
  readonly index: LogIndex;
  /** `isFull` from here on. */
  readonly backlogBytesMax: number;
  /** Entries are gathered into batches of about this size. */
  readonly batchBytesMax: number;
  /** A row left the queue as it is in the database now: its sealed value, or null. */
  readonly onWritten: (key: string, sealed: Uint8Array | null) => void;
  /** Once, on the first failed write. Everything asked for later fails with the same error. */
  readonly onFailure: (error: Error) => void;
}

/**
 * Write-behind: one batch is in flight, the next ones gather. Invariant: the database holds exactly
 * the writes of the entries up to the applied index that it states.
 */
export class WriteQueue {
  readonly #init: WriteQueueInit;
  readonly #rows = new Map<string, QueuedRow>();
  readonly #waiting: Batch[] = [];
  #waiters: Waiter[] = [];
  #bytes = 0;
  #running = false;
  #failure: Error | null = null;
  #lastIndex: LogIndex;
  #writtenIndex: LogIndex;
  #durableIndex: LogIndex;
  /** Highest index that somebody wants durable. */
  #syncIndex: LogIndex;

  constructor(init: WriteQueueInit) {
    this.#init = init;
    this.#lastIndex = this.#writtenIndex = this.#durableIndex = this.#syncIndex = init.index;
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
    const queued = this.#rows.get(key);
    return queued?.sealed ? valueOf(queued.sealed) : queued?.sealed;
  }

  add(index: LogIndex, writes: readonly RowWrite[]): void {
    this.#check();
    assert(index > this.#lastIndex, `Index ${index} must follow ${this.#lastIndex}`);
    const limit = 2 * this.#init.backlogBytesMax;
    assert(this.#bytes < limit, `The backlog must stay below ${limit} bytes: applying must pause`);
    this.#lastIndex = index;
    const batch = this.#batchFor(writes);
    batch.index = index;
    for (const write of writes) this.#put(batch, write);
    void this.#run();
  }

  /** Resolves when the queue is not full. */
  drained(): Promise<void> {
    return this.#until(() => !this.isFull);
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

  #batchFor(writes: readonly RowWrite[]): Batch {
    const size = writes.reduce((sum, write) => sum + costOf(write), 0);
    const newest = this.#waiting.at(-1);
    if (newest && newest.bytes + size <= this.#init.batchBytesMax) return newest;
    const batch = { index: this.#lastIndex, bytes: 0, keys: [], writes: [] };
    this.#waiting.push(batch);
    return batch;
  }

  #put(batch: Batch, write: RowWrite): void {
    assert(write.row.length > 0 && !isEngineRow(write.row), 'The row is not of the state machine');
    const key = keyOf(write.row);
    const sealed = write.value && seal(write.row, write.value);
    batch.keys.push(key);
    batch.writes.push({ row: write.row, value: sealed });
    batch.bytes += costOf(write);
    this.#bytes += costOf(write);
    this.#rows.set(key, { batch, sealed });
  }

  async #run(): Promise<void> {
    if (this.#running || this.#failure) return;
    this.#running = true;
    try {
      await Promise.resolve(); // Entries that are applied in the same turn share the first batch.
      for (let batch = this.#next(); batch !== null; batch = this.#next()) await this.#write(batch);
    } catch (error) {
      this.#fail(error as Error);
    } finally {
      this.#running = false;
    }
  }

  #next(): Batch | null {
    const batch = this.#waiting.shift();
    if (batch !== undefined) return batch;
    const isWanted = this.#syncIndex > this.#durableIndex;
    return isWanted ? { index: this.#writtenIndex, bytes: 0, keys: [], writes: [] } : null;
  }

  /** A synced batch takes everything before it to the disk too. */
  async #write(batch: Batch): Promise<void> {
    const sync = this.#syncIndex > this.#durableIndex && batch.index >= this.#syncIndex;
    await this.#init.kv.batch([...batch.writes, appliedWrite(batch.index)], { sync });
    this.#writtenIndex = batch.index;
    if (sync) this.#durableIndex = batch.index;
    this.#bytes -= batch.bytes;
    for (const key of batch.keys) this.#leave(key, batch);
    this.#wake();
  }

  #leave(key: string, batch: Batch): void {
    const queued = this.#rows.get(key);
    if (queued?.batch !== batch) return;
    this.#rows.delete(key);
    this.#init.onWritten(key, queued.sealed);
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

/** A row key as a key of maps. */
export const keyOf = (row: Uint8Array): string =>
  Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('latin1');

const costOf = ({ row, value }: RowWrite): number =>
  ENTRY_BYTES + row.length + (value === null ? 0 : value.length);
