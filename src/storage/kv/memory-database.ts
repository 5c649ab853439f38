import sorted from 'sorted-btree';

import type { Random } from '../../shared/index.ts';
import { assert } from '../../shared/index.ts';
import type { RowRange } from '../../store/index.ts';
import type { KvRow, KvWrite } from './kv.ts';

/** Rows by their bytes as Latin-1 text, which orders as the bytes do; clones are lazy and cheap. */
type Tree = InstanceType<typeof sorted.default<string, Uint8Array>>;

/** So many synced batches can be lost one by one. */
const SYNCED_MAX = 32;

/** One database: what a power cut leaves for sure, what reads see, and the batches in between. */
export class MemoryDatabase {
  #durable: Tree = new sorted.default<string, Uint8Array>(undefined, sorted.simpleComparator);
  #visible: Tree = this.#durable.clone();
  #unsynced: (readonly KvWrite[])[] = [];
  /** What was durable once, and the batches that were synced since: durable is both together. */
  #former: Tree = this.#durable.clone();
  #synced: (readonly KvWrite[])[] = [];
  /** The batch that was handed in and is not answered yet. */
  underWay: readonly KvWrite[] | null = null;
  isOpen = false;

  get(row: Uint8Array): Uint8Array | null {
    return this.#visible.get(textOf(row)) ?? null;
  }

  /** The rows as they are now, whatever is written while they are walked. */
  rows(range: RowRange): Iterator<KvRow> {
    return walk(this.#visible.clone(), range);
  }

  get rowCount(): number {
    return this.#visible.size;
  }

  /** The row at a place in their order. */
  rowAt(place: number): Uint8Array {
    const key = this.#visible.keysArray()[place];
    assert(key !== undefined, `Cannot find row ${place} of ${this.rowCount}: there is none`);
    return Buffer.from(key, 'latin1');
  }

  append(writes: readonly KvWrite[]): void {
    apply(this.#visible, writes);
    this.#unsynced.push(writes);
  }

  sync(): void {
    if (this.#synced.length >= SYNCED_MAX) this.#forgetSynced();
    this.#synced.push(...this.#unsynced);
    this.#durable = this.#visible.clone();
    this.#unsynced = [];
  }

  /** Nobody holds it any more; a batch under way may have made it or not. */
  abandon(random: Random): void {
    const { underWay } = this;
    this.underWay = null;
    this.isOpen = false;
    if (underWay !== null && random.intBelow(2) === 1) this.append(underWay);
  }

  /** Power is lost: some beginning of the unsynced batches is there, the rest is not. */
  crash(random: Random): void {
    const kept = random.intBelow(this.#unsynced.length + 1);
    for (const writes of this.#unsynced.slice(0, kept)) apply(this.#durable, writes);
    this.#synced.push(...this.#unsynced.slice(0, kept));
    this.#visible = this.#durable.clone();
    this.#unsynced = [];
  }

  /**
   * Takes one of the latest batches back, synced or not, but not the newest: as RocksDB does when a
   * block of its write-ahead log is bad. Returns false when there are too few.
   */
  loseBatch(random: Random): boolean {
    const batches = [...this.#synced, ...this.#unsynced];
    if (batches.length < 2) return false;
    batches.splice(random.intBelow(batches.length - 1), 1);
    this.#durable = this.#former.clone();
    for (const writes of batches) apply(this.#durable, writes);
    this.#visible = this.#durable.clone();
    this.#synced = batches;
    this.#unsynced = [];
    return true;
  }

  /** Changes a row behind the back of everybody. Returns false when there is no such row. */
  damage(row: Uint8Array, change: (value: Uint8Array) => Uint8Array): boolean {
    const value = this.get(row);
    if (value === null) return false;
    const damaged = change(Uint8Array.from(value));
    this.#visible.set(textOf(row), damaged);
    this.#durable.set(textOf(row), damaged);
    this.#forgetSynced();
    return true;
  }

  /** They cannot be lost one by one any more. */
  #forgetSynced(): void {
    this.#former = this.#durable.clone();
    this.#synced = [];
  }
}

const textOf = (row: Uint8Array): string =>
  Buffer.from(row.buffer, row.byteOffset, row.byteLength).toString('latin1');

function apply(tree: Tree, writes: readonly KvWrite[]): void {
  for (const { row, value } of writes) {
    if (value === null) tree.delete(textOf(row));
    else tree.set(textOf(row), value);
  }
}

function* walk(tree: Tree, range: RowRange): Generator<KvRow, undefined> {
  const end = range.to && textOf(range.to);
  for (const [key, value] of tree.entries(range.from && textOf(range.from))) {
    if (end !== undefined && key >= end) return;
    yield { row: Buffer.from(key, 'latin1'), value };
  }
}
