import { limits } from './limits.ts';

interface Item {
  readonly key: string;
  readonly bytes: Uint8Array;
  /** Times it was sent. */
  transmits: number;
}

/**
 * Items on their way to everybody, the least sent first. A newer item of the same key replaces an
 * older one (SWIM, 4.1). Bounded by limits.laneItemsMax: the most sent one makes room.
 */
export class Lane {
  readonly #items = new Map<string, Item>();
  /** The same items by the number of times sent. */
  readonly #byTransmits: Map<string, Item>[] = [];
  #bytes = 0;

  get size(): number {
    return this.#items.size;
  }

  get bytes(): number {
    return this.#bytes;
  }

  put(key: string, bytes: Uint8Array): void {
    this.delete(key);
    if (this.#items.size >= limits.laneItemsMax) this.#dropMostSent();
    const item = { key, bytes, transmits: 0 };
    this.#items.set(key, item);
    this.#bytes += bytes.length;
    this.#bucket(0).set(key, item);
  }

  delete(key: string): void {
    const item = this.#items.get(key);
    if (!item) return;
    this.#items.delete(key);
    this.#bytes -= item.bytes.length;
    this.#bucket(item.transmits).delete(key);
  }

  /** Drops all whose key starts so. */
  deleteAll(prefix: string): void {
    for (const key of [...this.#items.keys()]) if (key.startsWith(prefix)) this.delete(key);
  }

  clear(): void {
    this.#items.clear();
    this.#byTransmits.length = 0;
    this.#bytes = 0;
  }

  /** Takes items of together at most `bytesMax`; one sent `transmitsMax` times is dropped. */
  take(bytesMax: number, transmitsMax: number): Uint8Array[] {
    const taken = this.#choose(bytesMax);
    for (const item of taken) {
      this.#bucket(item.transmits).delete(item.key);
      item.transmits++;
      if (item.transmits >= transmitsMax) this.#forget(item);
      else this.#bucket(item.transmits).set(item.key, item);
    }
    return taken.map((item) => item.bytes);
  }

  #choose(bytesMax: number): Item[] {
    const chosen: Item[] = [];
    let left = bytesMax;
    for (const bucket of this.#byTransmits)
      for (const item of bucket.values()) {
        if (left < SMALLEST_ITEM_BYTES) return chosen;
        if (item.bytes.length > left) continue;
        chosen.push(item);
        left -= item.bytes.length;
      }
    return chosen;
  }

  #forget(item: Item): void {
    this.#items.delete(item.key);
    this.#bytes -= item.bytes.length;
  }

  #dropMostSent(): void {
    for (const bucket of this.#byTransmits.toReversed())
      for (const key of bucket.keys()) {
        this.delete(key);
        return;
      }
  }

  #bucket(transmits: number): Map<string, Item> {
    let bucket = this.#byTransmits[transmits];
    while (!bucket) {
      this.#byTransmits.push(new Map());
      bucket = this.#byTransmits[transmits];
    }
    return bucket;
  }
}

/** No item is shorter; a packet with less room is full. */
const SMALLEST_ITEM_BYTES = 8;
