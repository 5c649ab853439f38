import sortedBtree from 'sorted-btree';
import type { KeyHealth } from '../shared/index.ts';
import { assert } from '../shared/index.ts';
import type { BinaryKey } from './binary.ts';
import type { KeyFacts } from './codec/row-codec.ts';
import type { Slot } from './key-columns.ts';
import { hashOfText } from './item-hash.ts';
import { KeyColumns } from './key-columns.ts';

/** A CommonJS package with a default export: native imports wrap it once more than transpilers do. */
const imported: unknown = sortedBtree;
const BTree = (
  typeof imported === 'function' ? imported : sortedBtree.default
) as typeof sortedBtree.default;

/** Larger nodes waste less memory per key, smaller ones move less on insertion. */
const NODE_KEYS_MAX = 64;

/** Lookups that are remembered: a batch looks its keys up twice, and hot keys come again. */
const RECENT_MAX = 4096;
const ABSENT = -1;

/** Stands for row keys, records and health of a key, so that health needs no room of its own. */
const OVERHEAD_BYTES = 160;

const compareKeys = (a: BinaryKey, b: BinaryKey): number => (a < b ? -1 : a > b ? 1 : 0);

/** The size that a key counts with: its key row, its value row and its health row. */
export const chargedBytes = (key: BinaryKey, valueBytes: number): number =>
  2 * key.length + valueBytes + OVERHEAD_BYTES;

/** Live keys in the order of their bytes, with their facts and health. */
export class KeyIndex {
  readonly #tree = new BTree<BinaryKey, Slot>(undefined, compareKeys, NODE_KEYS_MAX);
  readonly #columns = new KeyColumns();
  readonly #recent = new Map<BinaryKey, Slot>();
  /** Counts insertions and removals, so that scans notice them. */
  #shapeChanges = 0;
  #bytes = 0;
  #digest = 0;

  get size(): number {
    return this.#tree.size;
  }

  /** Sum of `chargedBytes`. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Sum of the hashes of all keys with what belongs to them. */
  get digest(): number {
    return this.#digest;
  }

  find(key: BinaryKey): Slot | undefined {
    const recent = this.#recent.get(key);
    const slot = recent ?? this.#tree.get(key) ?? ABSENT;
    if (recent === undefined) this.#remember(key, slot);
    return slot === ABSENT ? undefined : slot;
  }

  facts(slot: Slot): KeyFacts {
    return this.#columns.facts(slot);
  }

  hasHealth(slot: Slot): boolean {
    return this.#columns.hasHealth(slot);
  }

  health(slot: Slot): KeyHealth | undefined {
    return this.#columns.health(slot);
  }

  setHealth(slot: Slot, health: KeyHealth | undefined): void {
    this.#count(slot, -1);
    this.#columns.setHealth(slot, health);
    this.#count(slot, 1);
  }

  insert(key: BinaryKey, facts: KeyFacts): Slot {
    const slot = this.#columns.allocate();
    const isNew = this.#tree.set(key, slot);
    assert(isNew, 'A key is inserted once');
    this.#remember(key, slot);
    this.#columns.setFacts(slot, facts);
    this.#columns.setHealth(slot, undefined);
    this.#columns.setKeyHash(slot, hashOfText(key));
    this.#count(slot, 1);
    this.#bytes += chargedBytes(key, facts.valueBytes);
    this.#shapeChanges++;
    return slot;
  }

  replace(slot: Slot, facts: KeyFacts): void {
    this.#bytes += facts.valueBytes - this.#columns.facts(slot).valueBytes;
    this.#count(slot, -1);
    this.#columns.setFacts(slot, facts);
    this.#count(slot, 1);
  }

  remove(key: BinaryKey, slot: Slot): void {
    this.#bytes -= chargedBytes(key, this.#columns.facts(slot).valueBytes);
    this.#count(slot, -1);
    this.#tree.delete(key);
    this.#remember(key, ABSENT);
    this.#columns.free(slot);
    this.#shapeChanges++;
  }

  #count(slot: Slot, sign: 1 | -1): void {
    this.#digest = (this.#digest + sign * this.#columns.itemHash(slot)) >>> 0;
  }

  #remember(key: BinaryKey, slot: Slot): void {
    if (this.#recent.size >= RECENT_MAX) this.#recent.clear();
    this.#recent.set(key, slot);
  }

  /**
   * Keys from `lowest` (strictly after it when `isExclusive`), lazily. The index may change
   * meanwhile: the scan goes on after the key that it gave last.
   */
  *scan(lowest: BinaryKey, isExclusive: boolean): Generator<readonly [BinaryKey, Slot]> {
    let from = lowest;
    let skipsFirst = isExclusive;
    for (;;) {
      const shape = this.#shapeChanges;
      const pairs = this.#tree.entries(from);
      let isStale = false;
      for (const pair of pairs) {
        if (skipsFirst && pair[0] === from) continue;
        yield pair;
        from = pair[0];
        isStale = shape !== this.#shapeChanges;
        if (isStale) break;
      }
      if (!isStale) return;
      skipsFirst = true;
    }
  }
}
