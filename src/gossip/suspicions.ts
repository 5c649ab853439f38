import type { NodeId } from '../shared/index.ts';
import type { MemberRecord } from '../wire/index.ts';
import type { SuspicionBounds } from './formulas.ts';
import { suspicionTimeoutMs } from './formulas.ts';

interface Suspicion {
  readonly nodeId: NodeId;
  /** Of which life: a suspicion of an earlier one ends nothing. */
  readonly epoch: number;
  readonly counter: number;
  readonly bounds: SuspicionBounds;
  /** The first accuser opens the suspicion, further ones confirm it. */
  readonly accusers: Set<NodeId | ''>;
  startedAtMs: number;
}

/** Running suspicions: each ends in a refutation or in a death. At most one a member. */
export class Suspicions {
  readonly #running = new Map<NodeId, Suspicion>();

  get size(): number {
    return this.#running.size;
  }

  start(record: MemberRecord, opening: Opening): void {
    const { nodeId, epoch, counter } = record;
    const { accuser, bounds, nowMs } = opening;
    const accusers = new Set([accuser]);
    this.#running.set(nodeId, { nodeId, epoch, counter, bounds, accusers, startedAtMs: nowMs });
  }

  cancel(nodeId: NodeId): void {
    this.#running.delete(nodeId);
  }

  /** Another accuser; true when that was news that others should hear. */
  confirm(record: MemberRecord, accuser: NodeId | ''): boolean {
    const suspicion = this.#running.get(record.nodeId);
    if (!suspicion || accuser === '' || suspicion.accusers.has(accuser)) return false;
    if (suspicion.epoch !== record.epoch || suspicion.counter !== record.counter) return false;
    if (suspicion.accusers.size > suspicion.bounds.confirmationsMax) return false;
    suspicion.accusers.add(accuser);
    return true;
  }

  /** Time in which this process did not run proves nothing about others. */
  postpone(lagMs: number): void {
    for (const suspicion of this.#running.values()) suspicion.startedAtMs += lagMs;
  }

  /** Ends and returns those whose time is over. */
  takeExpired(nowMs: number): Suspicion[] {
    const expired = [...this.#running.values()].filter((one) => deadlineMs(one) <= nowMs);
    for (const { nodeId } of expired) this.#running.delete(nodeId);
    return expired;
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const suspicion of this.#running.values()) next = Math.min(next, deadlineMs(suspicion));
    return next;
  }

  clear(): void {
    this.#running.clear();
  }
}

export interface Opening {
  readonly accuser: NodeId | '';
  readonly bounds: SuspicionBounds;
  readonly nowMs: number;
}

const deadlineMs = ({ startedAtMs, bounds, accusers }: Suspicion): number =>
  startedAtMs + suspicionTimeoutMs(bounds, accusers.size - 1);
