import type { NodeId } from '../shared/index.ts';
import type { GossipSettings } from './settings.ts';

interface Wish {
  dueAtMs: number;
  delayMs: number;
  /** Pulls in a row that brought nothing. */
  misses: number;
  /** Address of somebody who said it has more. */
  via: string;
}

/** Pulls without any progress after which hearsay is no longer believed. */
const MISSES_MAX = 6;
/** A cut answer is continued so soon. */
const NEXT_PAGE_DELAY_MS = 50;

/** Whose results are known to be incomplete here, and when to pull them. At most one an owner. */
export class RepairPlan {
  readonly #settings: GossipSettings;
  readonly #wishes = new Map<NodeId, Wish>();

  constructor(settings: GossipSettings) {
    this.#settings = settings;
  }

  /** Gossip may still close the gap by itself: the first pull waits a little. */
  want(owner: NodeId, via: string, nowMs: number): void {
    const wish = this.#wishes.get(owner);
    if (wish) {
      wish.via = via;
      return;
    }
    const delayMs = this.#settings.repairDelayMs;
    this.#wishes.set(owner, { dueAtMs: nowMs + delayMs, delayMs, misses: 0, via });
  }

  done(owner: NodeId): void {
    this.#wishes.delete(owner);
  }

  due(nowMs: number): { owners: NodeId[]; via: string } | undefined {
    const due = [...this.#wishes].filter(([, wish]) => wish.dueAtMs <= nowMs);
    const first = due[0];
    return first && { owners: due.map(([owner]) => owner), via: first[1].via };
  }

  /** After a pull that helped but did not finish. */
  goOn(owner: NodeId, nowMs: number): void {
    const wish = this.#wishes.get(owner);
    if (!wish) return;
    wish.dueAtMs = nowMs + NEXT_PAGE_DELAY_MS;
    wish.delayMs = this.#settings.repairDelayMs;
    wish.misses = 0;
  }

  /** After a pull that failed or brought nothing. False when it is time to give up. */
  backOff(owner: NodeId, nowMs: number): boolean {
    const wish = this.#wishes.get(owner);
    if (!wish) return true;
    wish.misses++;
    wish.delayMs = Math.min(2 * wish.delayMs, this.#settings.repairDelayMsMax);
    wish.dueAtMs = nowMs + wish.delayMs;
    return wish.misses < MISSES_MAX;
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { dueAtMs } of this.#wishes.values()) next = Math.min(next, dueAtMs);
    return next;
  }

  clear(): void {
    this.#wishes.clear();
  }
}
