/** A round and when, at the latest, it was sent, on the monotonic clock. */
interface SentRound {
  readonly round: number;
  readonly atMs: number;
}

/** Older ones would only shorten a lease. */
const ROUNDS_MAX = 16;

/** What a leader may answer reads by without asking. */
export class Lease {
  /** Ascending. */
  #sent: SentRound[] = [];
  untilMs = -Infinity;
  /** A successor was told to campaign: its election respects no promise, and the order may be late. */
  isForfeited = false;

  sent(round: SentRound): void {
    this.#sent.push(round);
    if (this.#sent.length > ROUNDS_MAX) this.#sent.shift();
  }

  /** A quorum answered `round`, or a later one. */
  confirmed(round: number, durationMs: number): void {
    let count = 0;
    for (const sent of this.#sent) {
      if (sent.round > round) break;
      this.untilMs = Math.max(this.untilMs, sent.atMs + durationMs);
      count += 1;
    }
    this.#sent.splice(0, count);
  }

  get isWaiting(): boolean {
    return this.#sent.length > 0;
  }

  /** Other voters count now: what the former promised says nothing about them. */
  end(): void {
    this.#sent = [];
    this.untilMs = -Infinity;
  }
}
