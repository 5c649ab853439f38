import type { KeyId } from './decision-types.ts';
import { BTree } from './sorted.ts';

type Slot = readonly [atMs: number, keyId: KeyId];

const bySlot = (a: Slot, b: Slot): number => a[0] - b[0] || a[1] - b[1];

/** When each key must be looked at next, one time a key. Keys without a time cost nothing. */
export class Deadlines {
  readonly #times = new Map<KeyId, number>();
  readonly #slots = new BTree<Slot, true>(undefined, bySlot);

  get size(): number {
    return this.#times.size;
  }

  /** `atMs` takes the place of the key's earlier time. */
  set(keyId: KeyId, atMs: number): void {
    this.delete(keyId);
    this.#times.set(keyId, atMs);
    this.#slots.set([atMs, keyId], true);
  }

  delete(keyId: KeyId): void {
    const atMs = this.#times.get(keyId);
    if (atMs === undefined) return;
    this.#times.delete(keyId);
    this.#slots.delete([atMs, keyId]);
  }

  clear(): void {
    this.#times.clear();
    this.#slots.clear();
  }

  /** The earliest time; null without any. */
  get nextAtMs(): number | null {
    return this.#slots.minKey()?.[0] ?? null;
  }

  /** Takes out the keys due at `nowMs`, the earliest first, at most `limit`. */
  takeDue(nowMs: number, limit: number): readonly KeyId[] {
    const due: KeyId[] = [];
    while (due.length < limit) {
      const first = this.#slots.minKey();
      if (first === undefined || first[0] > nowMs) break;
      due.push(first[1]);
      this.delete(first[1]);
    }
    return due;
  }
}
