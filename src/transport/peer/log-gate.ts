import type { Clock } from '../../shared/index.ts';
import { LOG_INTERVAL_MS } from './limits.ts';

const keysMax = 256;

/** Lets each complaint through once in LOG_INTERVAL_MS. Strangers cannot make it grow. */
export class LogGate {
  readonly #clock: Clock;
  readonly #passedAtMs = new Map<string, number>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  passes(key: string): boolean {
    const nowMs = this.#clock.monotonicMs();
    const lastMs = this.#passedAtMs.get(key);
    if (lastMs !== undefined && nowMs - lastMs < LOG_INTERVAL_MS) return false;
    if (lastMs === undefined && this.#passedAtMs.size >= keysMax) this.#passedAtMs.clear();
    this.#passedAtMs.set(key, nowMs);
    return true;
  }
}
