import { assert } from '../shared/index.ts';
import type { KeyId } from './decision-types.ts';
import { phaseOf } from './phase.ts';
import { freshnessLimitMs } from './quorum.ts';
import { BTree } from './sorted.ts';

export interface ScheduleSettings {
  readonly intervalMs: number;
  readonly timeoutMs: number;
  /** Runs at once. */
  readonly concurrencyMax: number;
}

interface KeyPlan {
  readonly phaseMs: number;
  /** Monotonic milliseconds of the last completed sample; at first, of the key's arrival. */
  sampledAtMs: number;
}

type Slot = readonly [phaseMs: number, keyId: KeyId];

const bySlot = (a: Slot, b: Slot): number => a[0] - b[0] || a[1] - b[1];

/**
 * Which keys are to be verified now. Each key has one slot in a ring as long as the interval; a hand
 * goes round it and puts what it passes in line. A key is in line or running once at most, so after
 * a stall or with too few slots runs grow rarer, and nothing piles up.
 */
export class Schedule {
  readonly #settings: ScheduleSettings;
  readonly #plans = new Map<KeyId, KeyPlan>();
  readonly #ring = new BTree<Slot, true>(undefined, bySlot);
  readonly #line = new Set<KeyId>();
  readonly #running = new Set<KeyId>();
  #handMs: number;

  /** `nowMs` is where the hand starts, monotonic milliseconds. */
  constructor(settings: ScheduleSettings, nowMs: number) {
    assert(settings.concurrencyMax >= 1, 'A schedule needs at least one slot');
    this.#settings = settings;
    this.#handMs = nowMs;
  }

  get keyCount(): number {
    return this.#plans.size;
  }

  get runningCount(): number {
    return this.#running.size;
  }

  /** Keys that are due and wait for a free slot. */
  get waitingCount(): number {
    return this.#line.size;
  }

  /** A key to watch from now on; a known one is left alone. */
  add(keyId: KeyId, nowMs: number): void {
    if (this.#plans.has(keyId)) return;
    const phaseMs = phaseOf(keyId, this.#settings.intervalMs);
    this.#plans.set(keyId, { phaseMs, sampledAtMs: nowMs });
    this.#ring.set([phaseMs, keyId], true);
  }

  /** The key is gone. A run of it holds its slot until `finished`. */
  remove(keyId: KeyId): void {
    const plan = this.#plans.get(keyId);
    if (!plan) return;
    this.#ring.delete([plan.phaseMs, keyId]);
    this.#plans.delete(keyId);
    this.#line.delete(keyId);
  }

  /** Moves the hand to `nowMs` and returns the keys to run now; each is running from here on. */
  start(nowMs: number): readonly KeyId[] {
    this.#moveHand(nowMs);
    const started: KeyId[] = [];
    for (const keyId of this.#line) {
      if (this.#running.size >= this.#settings.concurrencyMax) break;
      this.#line.delete(keyId);
      this.#running.add(keyId);
      started.push(keyId);
    }
    return started;
  }

  /** The run of the key ended at `nowMs`; `sampled` when it yielded a sample (EMPTY is one). */
  finished(keyId: KeyId, nowMs: number, sampled: boolean): void {
    this.#running.delete(keyId);
    const plan = this.#plans.get(keyId);
    if (plan && sampled) plan.sampledAtMs = nowMs;
  }

  /** True when the key has had no completed sample within the time a report stays fresh. */
  isOverdue(keyId: KeyId, nowMs: number): boolean {
    const plan = this.#plans.get(keyId);
    const { intervalMs, timeoutMs } = this.#settings;
    return plan !== undefined && nowMs - plan.sampledAtMs > freshnessLimitMs(intervalMs, timeoutMs);
  }

  /** All overdue keys: the node abstains on them. Walks every key; meant for once per report. */
  overdue(nowMs: number): readonly KeyId[] {
    return [...this.#plans.keys()].filter((keyId) => this.isOverdue(keyId, nowMs));
  }

  /** Milliseconds until `start` may have something; null when nothing can become due. */
  nextDueInMs(nowMs: number): number | null {
    if (this.#line.size > 0) {
      return this.#running.size < this.#settings.concurrencyMax ? 0 : null;
    }
    if (this.#ring.size === 0) return null;
    const { intervalMs } = this.#settings;
    const hand = this.#handMs % intervalMs;
    const ahead = this.#ring.nextHigherKey([hand, Number.MAX_SAFE_INTEGER as KeyId]);
    const slot = ahead ?? this.#ring.minKey();
    assert(slot !== undefined, 'A ring with keys has a lowest slot');
    const distanceMs = ahead ? slot[0] - hand : slot[0] + intervalMs - hand;
    return Math.max(0, this.#handMs + distanceMs - nowMs);
  }

  #moveHand(nowMs: number): void {
    const { intervalMs } = this.#settings;
    const passedMs = nowMs - this.#handMs;
    if (passedMs <= 0) return;
    const from = this.#handMs % intervalMs;
    const to = nowMs % intervalMs;
    this.#handMs = nowMs;
    if (passedMs >= intervalMs) this.#passRange(-1, intervalMs);
    else if (from < to) this.#passRange(from, to);
    else {
      this.#passRange(from, intervalMs);
      this.#passRange(-1, to);
    }
  }

  /** Puts the keys with a phase in (afterMs, untilMs] in line, unless they run or wait already. */
  #passRange(afterMs: number, untilMs: number): void {
    const low: Slot = [afterMs, Number.MAX_SAFE_INTEGER as KeyId];
    const high: Slot = [untilMs, Number.MAX_SAFE_INTEGER as KeyId];
    this.#ring.forRange(low, high, true, ([, keyId]) => {
      if (!this.#running.has(keyId)) this.#line.add(keyId);
    });
  }
}
