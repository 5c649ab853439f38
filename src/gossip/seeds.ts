import type { NodeId, Random } from '../shared/index.ts';
import { limits } from './limits.ts';
import type { GossipSettings } from './settings.ts';

export interface Seed {
  readonly address: string;
  /** Nobody answered there since join() was called with it. */
  isAwaited: boolean;
  isTrying: boolean;
  nextAtMs: number;
  retryMs: number;
  /** Who answered last. */
  nodeId: NodeId | null;
}

/** Join addresses: tried until they answer, and looked at for ever, so that islands find each other. */
export class Seeds {
  readonly #settings: GossipSettings;
  readonly #random: Random;
  readonly #seeds = new Map<string, Seed>();

  constructor(settings: GossipSettings, random: Random) {
    this.#settings = settings;
    this.#random = random;
  }

  add(address: string, nowMs: number): void {
    this.#seeds.delete(address);
    const oldest = this.#seeds.keys().next();
    if (this.#seeds.size >= limits.seedsMax && !oldest.done) this.#seeds.delete(oldest.value);
    this.#seeds.set(address, {
      address,
      isAwaited: true,
      isTrying: false,
      nextAtMs: nowMs,
      retryMs: this.#settings.seedRetryMsMin,
      nodeId: null,
    });
  }

  due(nowMs: number): Seed[] {
    return [...this.#seeds.values()].filter((seed) => !seed.isTrying && seed.nextAtMs <= nowMs);
  }

  /** Its member is alive: look again later. */
  skip(seed: Seed, nowMs: number): void {
    seed.nextAtMs = nowMs + this.#jittered(this.#settings.seedCheckIntervalMs);
  }

  /** True when this was what join() waits for. */
  answered(address: string, nodeId: NodeId, nowMs: number): boolean {
    const seed = this.#seeds.get(address);
    if (!seed) return false;
    const wasAwaited = seed.isAwaited;
    seed.isAwaited = false;
    seed.isTrying = false;
    seed.nodeId = nodeId;
    seed.retryMs = this.#settings.seedRetryMsMin;
    this.skip(seed, nowMs);
    return wasAwaited;
  }

  failed(address: string, nowMs: number): void {
    const seed = this.#seeds.get(address);
    if (!seed) return;
    seed.isTrying = false;
    seed.nextAtMs = nowMs + this.#jittered(seed.retryMs);
    seed.retryMs = Math.min(2 * seed.retryMs, this.#settings.seedRetryMsMax);
  }

  /** All are tried again from now on. */
  restart(nowMs: number): void {
    for (const seed of this.#seeds.values()) {
      seed.isTrying = false;
      seed.nextAtMs = nowMs;
    }
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { isTrying, nextAtMs } of this.#seeds.values())
      if (!isTrying) next = Math.min(next, nextAtMs);
    return next;
  }

  /** Up to a quarter more, so that nodes started together do not stay in step. */
  #jittered(delayMs: number): number {
    return delayMs + this.#random.intBelow(Math.max(1, Math.floor(delayMs / 4)));
  }
}
