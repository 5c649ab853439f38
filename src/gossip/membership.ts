import { assert } from '../shared/index.ts';
import type { NodeId } from '../shared/index.ts';
import { encodeMember, gossipLimits, joinParts } from '../wire/index.ts';
import type { FrameSender, MemberRecord, MemberRumour } from '../wire/index.ts';
import { memberCountOf, openFrame, sendPacket } from './context.ts';
import type { Context } from './context.ts';
import { suspicionBounds } from './formulas.ts';
import { isEnded } from './members.ts';
import type { Member } from './members.ts';
import { comparePrecedence, merge } from './precedence.ts';
import type { Suspicions } from './suspicions.ts';

export interface MembershipHooks {
  onAdded(nodeId: NodeId): void;
  /** Somebody else suspects it: worth a look of one's own. */
  onSuspected(nodeId: NodeId, nowMs: number): void;
  onEpoch(nodeId: NodeId, epoch: number): void;
  onForgotten(nodeId: NodeId): void;
  /** Something is said of this node itself that it must answer. */
  onAccused(record: MemberRecord, nowMs: number): void;
}

/** Where a rumour came from. */
export interface Source {
  /** A push/pull tells what the other side believes, maybe since long: its dead are only suspected. */
  readonly isSync: boolean;
  readonly teller: NodeId;
  readonly nowMs: number;
}

/** What is said of other nodes: merged, passed on, and turned into suspicions and effects. */
export class Membership {
  readonly #context: Context;
  readonly #suspicions: Suspicions;
  readonly #hooks: MembershipHooks;

  constructor(context: Context, suspicions: Suspicions, hooks: MembershipHooks) {
    this.#context = context;
    this.#suspicions = suspicions;
    this.#hooks = hooks;
  }

  receive(rumour: MemberRumour, source: Source): void {
    const { record } = rumour;
    const { self, table } = this.#context;
    if (record.nodeId === self.record.nodeId) {
      if (comparePrecedence(record, self.record) > 0) this.#hooks.onAccused(record, source.nowMs);
      return;
    }
    const member = table.get(record.nodeId);
    if (!member) this.#meet(rumour, source);
    else this.#update(member, source.isSync ? softened(rumour, member, source) : rumour, source);
  }

  /** This node's own probe got no answer. */
  suspect(nodeId: NodeId, nowMs: number): void {
    const member = this.#context.table.get(nodeId);
    if (!member || isEnded(member.record)) return;
    const accuser = this.#context.self.record.nodeId;
    const record = { ...member.record, status: 'suspect' } as const;
    const source = { isSync: false, teller: accuser, nowMs };
    this.#update(member, { record, accuser, endedSeconds: 0 }, source);
  }

  /** Ends suspicions that nobody refuted in time. */
  expireSuspicions(nowMs: number): void {
    for (const { nodeId, epoch, counter } of this.#suspicions.takeExpired(nowMs)) {
      const member = this.#context.table.get(nodeId);
      assert(member !== undefined, `A suspicion runs on ${nodeId}, which is no member`);
      const isPresentLife = member.record.epoch === epoch && member.record.counter === counter;
      assert(isPresentLife, `A suspicion of an earlier life of ${nodeId} still runs`);
      const record = { ...member.record, status: 'dead' } as const;
      this.#store(member, { record, accuser: '', endedSeconds: 0 }, nowMs);
    }
  }

  /**
   * Each frame shows its sender alive. A sender of whom worse is believed either has refuted that
   * already, or is told so that it can; once a probe interval, so two who believe each other dead
   * do not flood each other. False when this start of the sender is not known at all.
   */
  hear(sender: FrameSender, from: string, nowMs: number): boolean {
    const member = this.#context.table.get(sender.nodeId);
    if (!member || sender.epoch > member.record.epoch) return false;
    const { epoch, counter, status } = member.record;
    if (sender.epoch === epoch && status === 'alive') return true;
    if (sender.epoch === epoch && sender.counter > counter) {
      const record = { ...member.record, counter: sender.counter, status: 'alive' } as const;
      this.#store(member, { record, accuser: '', endedSeconds: 0 }, nowMs);
    } else if (sender.epoch < epoch || status !== 'left') this.#accuse(member, from, nowMs);
    return true;
  }

  /** Tells one that died lately what is said of it: it may live and object. */
  remindDead(nowMs: number): void {
    const { emit, random, settings, table } = this.#context;
    const [lost] = table.pick(
      1,
      random,
      ({ endedAtMs, record }) =>
        record.status === 'dead' && nowMs - endedAtMs < settings.gossipToTheDeadMs,
    );
    if (!lost) return;
    const item = encodeMember(this.rumourOf(lost, nowMs));
    const bytes = joinParts([openFrame(this.#context, {}), item]);
    emit({ kind: 'send', to: lost.record.address, bytes });
  }

  /** Forgets those that ended long ago. */
  reap(nowMs: number): void {
    const { settings, table } = this.#context;
    for (const member of [...table.values()])
      if (isEnded(member.record) && nowMs - member.endedAtMs >= settings.endedRetentionMs)
        this.#forget(member);
  }

  /** As it is passed on, with the age that keeps all nodes from remembering it longer. */
  rumourOf(member: Member, nowMs: number): MemberRumour {
    const endedMs = isEnded(member.record) ? Math.max(0, nowMs - member.endedAtMs) : 0;
    return { record: member.record, accuser: '', endedSeconds: Math.floor(endedMs / 1_000) };
  }

  #accuse(member: Member, from: string, nowMs: number): void {
    const { probeIntervalMs } = this.#context.settings;
    if (nowMs - member.accusedAtMs < probeIntervalMs) return;
    member.accusedAtMs = nowMs;
    const first = [encodeMember(this.rumourOf(member, nowMs))];
    sendPacket(this.#context, { to: from, first });
  }

  #meet(rumour: MemberRumour, { nowMs }: Source): void {
    const { settings, table } = this.#context;
    const { record } = rumour;
    const endedMs = rumour.endedSeconds * 1_000;
    if (isEnded(record) && endedMs >= settings.endedRetentionMs) return;
    const endedAtMs = isEnded(record) ? nowMs - endedMs : 0;
    if (!table.add(record, endedAtMs) && !this.#replaceEnded(record, endedAtMs)) return;
    this.#hooks.onAdded(record.nodeId);
    this.#hooks.onEpoch(record.nodeId, record.epoch);
    this.#settle(rumour, nowMs);
  }

  /** Room for the living; one that ended does not push out another. */
  #replaceEnded(record: MemberRecord, endedAtMs: number): boolean {
    const { table } = this.#context;
    const oldest = table.longestEnded();
    if (!oldest || isEnded(record)) return false;
    this.#forget(oldest);
    return table.add(record, endedAtMs);
  }

  #update(member: Member, rumour: MemberRumour, { nowMs, teller }: Source): void {
    if (merge(member.record, rumour.record) !== member.record) {
      this.#store(member, rumour, nowMs);
      const isOthers = teller !== this.#context.self.record.nodeId;
      if (rumour.record.status === 'suspect' && isOthers)
        this.#hooks.onSuspected(member.nodeId, nowMs);
    } else if (rumour.record.status === 'suspect' && member.record.status === 'suspect')
      if (this.#suspicions.confirm(rumour.record, rumour.accuser)) this.#spread(rumour);
  }

  #store(member: Member, rumour: MemberRumour, nowMs: number): void {
    const before = member.record;
    const { record, endedSeconds } = rumour;
    this.#context.table.change(member, record, isEnded(record) ? nowMs - endedSeconds * 1_000 : 0);
    if (record.epoch > before.epoch) this.#hooks.onEpoch(record.nodeId, record.epoch);
    this.#settle(rumour, nowMs);
  }

  /** After any change of a record: its suspicion, its place in the lane, the effect. */
  #settle(rumour: MemberRumour, nowMs: number): void {
    const { record, accuser } = rumour;
    if (record.status === 'suspect') {
      const bounds = suspicionBounds(this.#context.settings, memberCountOf(this.#context));
      this.#suspicions.start(record, { accuser, bounds, nowMs });
    } else this.#suspicions.cancel(record.nodeId);
    this.#spread(rumour);
    this.#context.emit({ kind: 'member', member: record });
  }

  #spread(rumour: MemberRumour): void {
    this.#context.lanes.membership.put(rumour.record.nodeId, encodeMember(rumour));
  }

  #forget(member: Member): void {
    this.#context.table.remove(member);
    this.#suspicions.cancel(member.nodeId);
    this.#context.lanes.membership.delete(member.nodeId);
    this.#hooks.onForgotten(member.nodeId);
    this.#context.emit({ kind: 'memberGone', nodeId: member.nodeId });
  }
}

/** A death that was only heard of by push/pull: the one concerned gets the time of a suspicion. */
function softened(rumour: MemberRumour, member: Member, source: Source): MemberRumour {
  if (rumour.record.status !== 'dead' || isEnded(member.record)) return rumour;
  const record = { ...rumour.record, status: 'suspect' } as const;
  return { record, accuser: source.teller, endedSeconds: 0 };
}

/** The record with which a node answers what is said of it; null when it cannot be answered. */
export function refutation(self: MemberRecord, accusation: MemberRecord): MemberRecord | null {
  if (accusation.epoch === self.epoch)
    return accusation.counter < gossipLimits.counterMax
      ? { ...self, counter: accusation.counter + 1 }
      : null;
  return accusation.epoch < gossipLimits.epochMax
    ? { ...self, epoch: accusation.epoch + 1, counter: 0 }
    : null;
}
