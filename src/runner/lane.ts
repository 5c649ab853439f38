import { assert } from '../shared/index.ts';

/** Runs at most `slots` items at once and keeps at most `waitingMax` in line. */
export class Lane<Item> {
  readonly #slots: number;
  readonly #waitingMax: number;
  readonly #waiting: Item[] = [];
  #running = 0;

  constructor(slots: number, waitingMax: number) {
    assert(slots >= 1, `A lane needs at least one slot, got ${slots}`);
    this.#slots = slots;
    this.#waitingMax = waitingMax;
  }

  get running(): number {
    return this.#running;
  }

  get waiting(): number {
    return this.#waiting.length;
  }

  /** False when the line is full: the caller refuses the item. */
  push(item: Item): boolean {
    if (this.#waiting.length >= this.#waitingMax + this.#slots - this.#running) return false;
    this.#waiting.push(item);
    return true;
  }

  /** The next item, which takes a slot, or undefined. */
  take(): Item | undefined {
    if (this.#running >= this.#slots) return undefined;
    const item = this.#waiting.shift();
    if (item !== undefined) this.#running++;
    return item;
  }

  /** A taken item is done. */
  release(): void {
    assert(this.#running > 0, 'A slot is released only after it was taken');
    this.#running--;
  }

  /** Empties the line. */
  clear(): readonly Item[] {
    return this.#waiting.splice(0);
  }
}
