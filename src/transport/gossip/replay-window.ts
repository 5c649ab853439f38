/** Counters this far behind the newest count as used: datagrams overtake exchanges. */
const WIDTH = 4_096;

/** Which counters of a session were used. Holds at most twice its width. */
export class ReplayWindow {
  #newest = 0;
  #used = new Set<number>();

  isUsed(counter: number): boolean {
    return counter <= this.#newest - WIDTH || this.#used.has(counter);
  }

  use(counter: number): void {
    this.#used.add(counter);
    this.#newest = Math.max(this.#newest, counter);
    if (this.#used.size <= 2 * WIDTH) return;
    this.#used = new Set([...this.#used].filter((one) => one > this.#newest - WIDTH));
  }
}
