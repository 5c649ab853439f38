/** Local health score (Lifeguard): 0 is well; higher makes this node slower to judge others. */
export class Awareness {
  #score = 0;
  readonly #scoreMax: number;

  /** The score stays within [0, multiplierMax - 1]. */
  constructor(multiplierMax: number) {
    this.#scoreMax = multiplierMax - 1;
  }

  get score(): number {
    return this.#score;
  }

  add(delta: number): void {
    this.#score = Math.min(this.#scoreMax, Math.max(0, this.#score + delta));
  }

  scale(durationMs: number): number {
    return durationMs * (this.#score + 1);
  }
}
