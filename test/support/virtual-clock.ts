import type { Cancel, Clock } from '../../src/shared/index.ts';

interface Timer {
  readonly atMs: number;
  readonly run: () => void;
}

/** Time that passes only when told to; what is due runs in order, promises in between. */
export class VirtualClock implements Clock {
  #nowMs = 0;
  readonly #timers: Timer[] = [];

  monotonicMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return this.#nowMs;
  }

  after(delayMs: number, run: () => void): Cancel {
    const timer = { atMs: this.#nowMs + delayMs, run };
    this.#timers.push(timer);
    return () => {
      const position = this.#timers.indexOf(timer);
      if (position >= 0) this.#timers.splice(position, 1);
    };
  }

  afterPendingInput(run: () => void): void {
    this.after(0, run);
  }

  get pendingCount(): number {
    return this.#timers.length;
  }

  async advance(byMs: number): Promise<void> {
    const untilMs = this.#nowMs + byMs;
    for (;;) {
      await new Promise(setImmediate);
      const next = this.#takeDue(untilMs);
      if (next === null) break;
      this.#nowMs = next.atMs;
      next.run();
    }
    this.#nowMs = untilMs;
  }

  #takeDue(untilMs: number): Timer | null {
    let earliest = -1;
    for (const [position, timer] of this.#timers.entries()) {
      const known = this.#timers[earliest];
      if (timer.atMs <= untilMs && (known === undefined || timer.atMs < known.atMs)) {
        earliest = position;
      }
    }
    return earliest < 0 ? null : (this.#timers.splice(earliest, 1)[0] ?? null);
  }
}
