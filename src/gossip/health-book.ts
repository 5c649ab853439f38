import type { NodeId } from '../shared/index.ts';
import { encodeHead, encodeReport, encodeSegment } from '../wire/index.ts';
import type { HealthDigest, HealthHead, HealthReport, VerdictSegment } from '../wire/index.ts';
import type { Context } from './context.ts';
import { limits } from './limits.ts';
import { OwnHealth } from './own-health.ts';
import { OwnerHealth } from './owner-health.ts';
import { RepairPlan } from './repair-plan.ts';
import type { OwnReport, OwnVerdict } from './types.ts';

/** From whom a health item came. */
export interface HealthSource {
  readonly sender: NodeId;
  /** Where more can be pulled. */
  readonly address: string;
  /** A datagram, so said just now; false for the answer of an exchange. */
  readonly isGossip: boolean;
  readonly nowMs: number;
}

/**
 * Health results of all nodes, each node the only writer of its own. Items of an epoch other than
 * the member's present one are ignored: a push/pull brings what was early.
 */
export class HealthBook {
  readonly repairs: RepairPlan;
  readonly #context: Context;
  readonly #own: OwnHealth;
  readonly #others = new Map<NodeId, OwnerHealth>();

  constructor(context: Context) {
    this.#context = context;
    this.#own = new OwnHealth(context.self.record, context.emit);
    this.repairs = new RepairPlan(context.settings);
  }

  get hasNews(): boolean {
    return this.#own.isDirty;
  }

  publish(verdict: OwnVerdict): void {
    this.#own.publish(verdict);
  }

  retract(keyId: number): void {
    this.#own.retract(keyId);
  }

  /** The verdicts that a report rests on are gossiped before it. */
  report(report: OwnReport): void {
    const numbered = this.#own.report(report);
    if (!numbered) return;
    this.flush();
    this.#spreadReport(numbered);
  }

  /** Hands own changes to the lane. */
  flush(): void {
    if (!this.#own.isDirty) return;
    const { segments, isStorm } = this.#own.flush();
    for (const segment of segments) this.#spreadSegment(segment);
    if (isStorm) this.#spreadHead(this.#own.health.head());
  }

  /** Lets others know what this node has, so that they pull it. */
  announce(): void {
    const head = this.#own.health.head();
    if (head.maxVersion > 0) this.#spreadHead(head);
  }

  /** This node itself goes on under a higher epoch. */
  restartOwn(epoch: number): void {
    const owner = this.#own.health.owner;
    this.#context.lanes.health.deleteAll(laneKey(owner));
    this.#context.emit({ kind: 'ownerReset', owner, epoch });
    this.#own.restart(epoch);
  }

  startEpoch(owner: NodeId, epoch: number): void {
    const before = this.#others.get(owner);
    if (before && before.epoch >= epoch) return;
    this.#others.set(owner, new OwnerHealth(owner, epoch, this.#context.emit));
    if (!before) return;
    this.#context.lanes.health.deleteAll(laneKey(owner));
    this.repairs.done(owner);
    this.#context.emit({ kind: 'ownerReset', owner, epoch });
  }

  forget(owner: NodeId): void {
    this.#others.delete(owner);
    this.#context.lanes.health.deleteAll(laneKey(owner));
    this.repairs.done(owner);
  }

  receiveSegment(segment: VerdictSegment, source: HealthSource): void {
    const health = this.#find(segment);
    if (!health) return;
    const isNews = health.receiveSegment(segment);
    this.#plan(health, source);
    if (isNews && source.isGossip) this.#spreadSegment(segment);
  }

  receiveReport(report: HealthReport, source: HealthSource): void {
    const health = this.#find(report);
    if (!health) return;
    const isDirect = source.isGossip && source.sender === report.owner;
    const isNews = health.receiveReport(report, isDirect);
    this.#plan(health, source);
    if (isNews && source.isGossip) this.#spreadReport(report);
  }

  receiveHead(head: HealthHead, source: HealthSource): void {
    const health = this.#find(head);
    if (!health) return;
    const isNews = health.receiveHead(head);
    this.#plan(health, source);
    if (isNews && source.isGossip) this.#spreadHead(head);
  }

  /** What the other side holds is what can be pulled from it. */
  receiveDigest(
    { owner, epoch, contiguous, reportNumber }: HealthDigest,
    source: HealthSource,
  ): void {
    this.receiveHead({ owner, epoch, maxVersion: contiguous, reportNumber }, source);
  }

  digests(): HealthDigest[] {
    return [...this.#all()].map((health) => health.digest());
  }

  /** All owners, in an order that differs from time to time, so that none always comes last. */
  inRandomOrder(): OwnerHealth[] {
    const all = [...this.#all()];
    const start = this.#context.random.intBelow(all.length);
    return [...all.slice(start), ...all.slice(0, start)];
  }

  /** After a pull: is the gap closed, did it shrink, or did it bring nothing? */
  settleRepair(owner: NodeId, before: HealthDigest | undefined, nowMs: number): void {
    const health = this.#others.get(owner);
    if (!health?.isBehind) {
      this.repairs.done(owner);
      return;
    }
    const now = health.digest();
    const hasMoved =
      before !== undefined &&
      (before.contiguous !== now.contiguous || before.reportNumber !== now.reportNumber);
    if (hasMoved) this.repairs.goOn(owner, nowMs);
    else if (!this.repairs.backOff(owner, nowMs)) this.#giveUp(health);
  }

  digestOf(owner: NodeId): HealthDigest | undefined {
    return this.#others.get(owner)?.digest();
  }

  #giveUp(health: OwnerHealth): void {
    health.giveUp();
    this.repairs.done(health.owner);
  }

  *#all(): Generator<OwnerHealth> {
    yield this.#own.health;
    yield* this.#others.values();
  }

  #find({ owner, epoch }: { owner: NodeId; epoch: number }): OwnerHealth | undefined {
    const health = this.#others.get(owner);
    return health?.epoch === epoch ? health : undefined;
  }

  #plan(health: OwnerHealth, { address, nowMs }: HealthSource): void {
    if (health.isBehind) this.repairs.want(health.owner, address, nowMs);
    else this.repairs.done(health.owner);
  }

  /** A lane that overflows with somebody's segments gets a version bump in their place. */
  #spreadSegment(segment: VerdictSegment): void {
    const { health: lane } = this.#context.lanes;
    const bytes = encodeSegment(segment);
    const { owner, epoch, fromExclusive, toInclusive } = segment;
    const isFull = lane.size >= limits.laneItemsMax / 2;
    if (isFull || bytes.length > limits.healthItemBytesMax) {
      lane.deleteAll(laneKey(owner, 'segment'));
      this.#spreadHead({ owner, epoch, maxVersion: toInclusive, reportNumber: 0 });
    } else lane.put(laneKey(owner, 'segment', `${fromExclusive}-${toInclusive}`), bytes);
  }

  #spreadReport(report: HealthReport): void {
    const { owner, epoch, maxVersion, number } = report;
    const bytes = encodeReport(report);
    this.#context.lanes.health.delete(laneKey(owner, 'report'));
    if (bytes.length <= limits.healthItemBytesMax)
      this.#context.lanes.health.put(laneKey(owner, 'report'), bytes);
    else this.#spreadHead({ owner, epoch, maxVersion, reportNumber: number });
  }

  #spreadHead(head: HealthHead): void {
    this.#context.lanes.health.put(laneKey(head.owner, 'head'), encodeHead(head));
  }
}

/** Keys of one owner begin alike; names hold no NUL. */
const laneKey = (owner: NodeId, ...parts: readonly string[]): string =>
  `${owner}\0${parts.join('\0')}`;
