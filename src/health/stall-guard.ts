import { assert } from '../shared/index.ts';

export interface StallSettings {
  /** One verification interval: it must pass without a stall before this process votes again. */
  readonly intervalMs: number;
  /** How often `beat` is to be called. */
  readonly beatMs: number;
  /** Lateness above this is a stall. */
  readonly lateMsMax: number;
}

/** A timer later than this makes a process abstain (interface, Decisions 9). */
export const stallLateMsMax = 2_000;

/**
 * Notices that this process did not run when it should have: what it measured then may be wrong.
 * Times are monotonic milliseconds of this process.
 */
export class StallGuard {
  readonly #settings: StallSettings;
  #lastBeatMs: number;
  #stalledAtMs: number | null = null;

  constructor(settings: StallSettings, nowMs: number) {
    assert(settings.beatMs > 0, `A beat must be above 0 ms, got ${settings.beatMs}`);
    this.#settings = settings;
    this.#lastBeatMs = nowMs;
  }

  /** When the last stall was noticed; null: never. */
  get stalledAtMs(): number | null {
    return this.#stalledAtMs;
  }

  /** To be called by a timer every `beatMs`; returns by how many milliseconds it was late. */
  beat(nowMs: number): number {
    const lateMs = Math.max(0, nowMs - this.#lastBeatMs - this.#settings.beatMs);
    if (lateMs > this.#settings.lateMsMax) this.#stalledAtMs = nowMs;
    this.#lastBeatMs = nowMs;
    return lateMs;
  }

  /** True from a stall on, noticed by a beat or not yet, until an interval passed without one. */
  abstains(nowMs: number): boolean {
    const { beatMs, lateMsMax, intervalMs } = this.#settings;
    if (nowMs - this.#lastBeatMs - beatMs > lateMsMax) this.beat(nowMs);
    return this.#stalledAtMs !== null && nowMs - this.#stalledAtMs < intervalMs;
  }
}
