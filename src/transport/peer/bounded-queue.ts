/** `oldest`: make room for what is new. `newest`: what is new does not get in. */
type DropRule = 'oldest' | 'newest';

export interface QueueBounds {
  readonly itemsMax: number;
  readonly bytesMax: number;
  readonly drop: DropRule;
}

interface Sized<T> {
  readonly item: T;
  readonly bytes: number;
}

/** First in, first out, bounded by count and bytes. One item larger than bytesMax still fits. */
export class BoundedQueue<T> {
  readonly #bounds: QueueBounds;
  #entries: Sized<T>[] = [];
  /** Entries before it were taken: shifting a long array per item would cost its length. */
  #head = 0;
  #bytes = 0;

  constructor(bounds: QueueBounds) {
    this.#bounds = bounds;
  }

  get length(): number {
    return this.#entries.length - this.#head;
  }

  /** Returns how many items were dropped, which may be this one. */
  push(item: T, bytes: number): number {
    let dropped = 0;
    while (this.#isFullFor(bytes)) {
      if (this.#bounds.drop === 'newest') return 1;
      this.#shift();
      dropped++;
    }
    this.#entries.push({ item, bytes });
    this.#bytes += bytes;
    return dropped;
  }

  /** The oldest items, up to the limits but at least one if there is one. */
  take(itemsMax: number, bytesMax: number): T[] {
    const items: T[] = [];
    let bytes = 0;
    while (items.length < itemsMax && this.length > 0) {
      const next = this.#entries[this.#head] as Sized<T>;
      if (items.length > 0 && bytes + next.bytes > bytesMax) break;
      bytes += next.bytes;
      items.push(this.#shift());
    }
    return items;
  }

  /** Empties it; returns how many items were in it. */
  clear(): number {
    const count = this.length;
    this.#entries = [];
    this.#head = 0;
    this.#bytes = 0;
    return count;
  }

  #isFullFor(bytes: number): boolean {
    if (this.length === 0) return false;
    return this.length >= this.#bounds.itemsMax || this.#bytes + bytes > this.#bounds.bytesMax;
  }

  #shift(): T {
    const { item, bytes } = this.#entries[this.#head] as Sized<T>;
    this.#head++;
    this.#bytes -= bytes;
    if (this.#head === this.#entries.length) this.clear();
    else if (this.#head >= 1024 && this.#head * 2 >= this.#entries.length) this.#compact();
    return item;
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#head);
    this.#head = 0;
  }
}
