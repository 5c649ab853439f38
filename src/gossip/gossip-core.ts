import type { NodeId } from '../shared/index.ts';
import { gossipLimits, joinParts } from '../wire/index.ts';
import type { GossipFrame, Ping } from '../wire/index.ts';
import { checkSelf } from './check-self.ts';
import { createContext, openFrame, sendPacket } from './context.ts';
import type { Context } from './context.ts';
import { Exchanges } from './exchanges.ts';
import { readFrame } from './frame-intake.ts';
import { HealthBook } from './health-book.ts';
import type { HealthSource } from './health-book.ts';
import { Membership } from './membership.ts';
import { Presence } from './presence.ts';
import { Prober } from './prober.ts';
import { Relays } from './relays.ts';
import { Suspicions } from './suspicions.ts';
import { SyncFrames } from './sync-frames.ts';
import { Syncer } from './syncer.ts';
import type { GossipEffect, GossipInit, MemberView, OwnReport, OwnVerdict } from './types.ts';

/** A leaving node tells so many at once; gossip tells the rest. */
const DIRECT_FAREWELLS_MAX = 32;

/** For people and metrics. */
export interface GossipStatus {
  /** Lifeguard's local health: 0 is well. */
  readonly healthScore: number;
  readonly queuedItems: number;
  readonly suspicions: number;
  readonly exchanges: number;
}

/**
 * SWIM with Lifeguard and the dissemination of health results, without I/O: bytes and the monotonic
 * time go in, effects come out of drain(). The driver reads what waits at its sockets before it
 * calls tick(), and tells a time in which it could not run by noteLag(). Bad bytes change nothing.
 */
export class GossipCore {
  readonly #context: Context;
  #effects: GossipEffect[] = [];
  readonly #suspicions = new Suspicions();
  readonly #exchanges: Exchanges;
  readonly #membership: Membership;
  readonly #prober: Prober;
  readonly #relays: Relays;
  readonly #book: HealthBook;
  readonly #frames: SyncFrames;
  readonly #syncer: Syncer;
  readonly #presence: Presence;
  #gossipAtMs = 0;
  /** What was to be gossiped last had nobody to go to. */
  #wasAlone = false;
  #leaveUntilMs = Infinity;

  /** Throws QuorateError CONFIG_INVALID when a text of `self` is longer than peers accept. */
  constructor(init: GossipInit) {
    checkSelf(init.self);
    const emit = (effect: GossipEffect): void => void this.#effects.push(effect);
    const context = createContext(init, emit);
    this.#context = context;
    this.#exchanges = new Exchanges(emit);
    this.#book = new HealthBook(context);
    this.#membership = new Membership(context, this.#suspicions, {
      onAdded: (nodeId) => this.#prober.order.add(nodeId),
      onSuspected: (nodeId, nowMs) => this.#prober.urge(nodeId, nowMs),
      onEpoch: (nodeId, epoch) => this.#book.startEpoch(nodeId, epoch),
      onForgotten: (nodeId) => {
        this.#prober.order.remove(nodeId);
        this.#book.forget(nodeId);
      },
      onAccused: (record, nowMs) => this.#presence.answer(record, nowMs),
    });
    this.#presence = new Presence(context, (epoch) => this.#book.restartOwn(epoch));
    this.#prober = new Prober(context, this.#exchanges, {
      onSilent: (target, nowMs) => this.#membership.suspect(target, nowMs),
    });
    this.#relays = new Relays(context, this.#prober);
    this.#frames = new SyncFrames(context, this.#membership, this.#book);
    const parts = { exchanges: this.#exchanges, book: this.#book, frames: this.#frames };
    this.#syncer = new Syncer(context, parts);
    emit({ kind: 'member', member: context.self.record });
  }

  /** A datagram from `from`. */
  receive(from: string, bytes: Uint8Array, nowMs: number): void {
    const frame = readFrame(this.#context, bytes);
    if (!frame) return;
    if (this.#context.self.hasLeft) {
      // A peer that missed it finds out; there is no ack, so it also stops to probe.
      if (isFor(this.#selfId, frame.ping))
        sendPacket(this.#context, { to: from, first: [this.#presence.item()] });
      return;
    }
    this.#takeIn(frame, { address: from, isGossip: true, nowMs });
    this.#answerProbe(frame, from, nowMs);
  }

  /** The request of an incoming exchange; null: refuse and close. */
  serveExchange(from: string, bytes: Uint8Array, nowMs: number): Uint8Array | null {
    const frame = readFrame(this.#context, bytes);
    const { hasLeft } = this.#context.self;
    if (!frame || (hasLeft && frame.sync)) return null;
    if (hasLeft) return joinParts([openFrame(this.#context, {}), this.#presence.item()]);
    if (frame.sync) return this.#serveSync(frame, from, nowMs);
    if (!frame.ping || !isFor(this.#selfId, frame.ping)) return null;
    return openFrame(this.#context, { ack: frame.ping.sequence });
  }

  /** The end of the exchange that an effect asked for; null: it failed. */
  exchangeEnded(id: number, response: Uint8Array | null, nowMs: number): void {
    const exchange = this.#exchanges.end(id);
    if (!exchange || this.#context.self.hasLeft) return;
    const frame = response && readFrame(this.#context, response);
    if (frame && (frame.sync || frame.ack > 0)) {
      const before = this.#syncer.digestsOf(exchange.purpose);
      this.#takeIn(frame, { address: exchange.to, isGossip: false, nowMs });
      this.#prober.onAck(frame.ack);
      this.#syncer.onAnswered(exchange, frame, before, nowMs);
    } else this.#syncer.onFailed(exchange, nowMs);
  }

  /** The socket refused to send there. */
  sendFailed(to: string, nowMs: number): void {
    if (!this.#context.self.hasLeft) this.#prober.onSendFailed(to, nowMs);
  }

  /** Does all that is due. Early calls do nothing. */
  tick(nowMs: number): void {
    if (this.#context.self.hasLeft) {
      if (nowMs >= this.#leaveUntilMs) this.#context.lanes.clear();
      this.#gossip(nowMs);
      return;
    }
    this.#prober.tick(nowMs);
    this.#relays.tick(nowMs);
    this.#membership.expireSuspicions(nowMs);
    this.#syncer.tick(nowMs);
    this.#membership.reap(nowMs);
    this.#gossip(nowMs);
  }

  /** When tick() has something to do; may lie in the past; Infinity: never. */
  nextDeadlineMs(): number {
    const { lanes, self } = this.#context;
    const hasGossip = lanes.size > 0 || (this.#book.hasNews && !self.hasLeft);
    const gossipAtMs = hasGossip ? this.#gossipAtMs : Infinity;
    if (self.hasLeft) return gossipAtMs;
    return Math.min(
      gossipAtMs,
      this.#prober.nextDeadlineMs(),
      this.#relays.nextDeadlineMs(),
      this.#suspicions.nextDeadlineMs(),
      this.#syncer.nextDeadlineMs(),
    );
  }

  /** What is to be done since the last call, in order. */
  drain(): GossipEffect[] {
    const effects = this.#effects;
    this.#effects = [];
    return effects;
  }

  /** host:port of members, tried for ever; each that answers gives a `joined` effect. */
  join(addresses: readonly string[], nowMs: number): void {
    this.#syncer.join(addresses, nowMs);
  }

  /** Tells the others, then stays out until rejoin(). */
  leave(nowMs: number): void {
    const { lanes, random, self, settings, table } = this.#context;
    if (self.hasLeft) return;
    lanes.clear();
    this.#presence.become('left');
    this.#prober.stop();
    this.#relays.clear();
    this.#exchanges.clear();
    this.#suspicions.clear();
    this.#book.repairs.clear();
    this.#leaveUntilMs = nowMs + settings.leaveTimeoutMs;
    this.#gossipAtMs = nowMs + settings.gossipIntervalMs;
    for (const { record } of table.pickActive(DIRECT_FAREWELLS_MAX, random))
      sendPacket(this.#context, { to: record.address, first: [this.#presence.item()] });
  }

  /** This node said that it leaves and needs no more time to spread that. */
  hasLeft(): boolean {
    return this.#context.self.hasLeft && this.#context.lanes.size === 0;
  }

  /** Comes back after leave(), through seeds and the members it remembers. */
  rejoin(nowMs: number): void {
    if (!this.#context.self.hasLeft) return;
    this.#presence.become('alive');
    this.#syncer.restart(nowMs);
  }

  /** This process did not run for `lagMs`: nothing that fell into that time is held against others. */
  noteLag(lagMs: number, nowMs: number): void {
    const { awareness, settings } = this.#context;
    awareness.add(1 + Math.floor(lagMs / settings.probeIntervalMs));
    this.#suspicions.postpone(lagMs);
    this.#prober.postpone(lagMs);
    if (lagMs >= settings.suspicionMult * settings.probeIntervalMs) this.#syncer.restart(nowMs);
  }

  /** A verdict of this node; the same as the last one of the key changes nothing. */
  publishVerdict(verdict: OwnVerdict): void {
    const samples = verdict.samples.slice(-gossipLimits.samplesMax);
    this.#book.publish({ ...verdict, samples });
  }

  retractVerdict(keyId: number): void {
    this.#book.retract(keyId);
  }

  /** The verdicts published so far are this node's newest word; numbered here. */
  publishReport(report: OwnReport): void {
    if (!this.#context.self.hasLeft) this.#book.report(report);
  }

  /** All known nodes, this one included, by name. */
  members(): MemberView[] {
    const others = [...this.#context.table.values()].map(({ record }) => record);
    return [this.#context.self.record, ...others].sort((a, b) => (a.nodeId < b.nodeId ? -1 : 1));
  }

  status(): GossipStatus {
    return {
      healthScore: this.#context.awareness.score,
      queuedItems: this.#context.lanes.size,
      suspicions: this.#suspicions.size,
      exchanges: this.#exchanges.size,
    };
  }

  get #selfId(): NodeId {
    return this.#context.self.record.nodeId;
  }

  #serveSync(frame: GossipFrame, from: string, nowMs: number): Uint8Array {
    const sender = frame.members.find(({ record }) => record.nodeId === frame.sender.nodeId);
    const address = sender?.record.address ?? from;
    this.#takeIn(frame, { address, isGossip: false, nowMs });
    return this.#frames.answer(frame, nowMs);
  }

  /** Members first: the other items are read in the light of their epochs. */
  #takeIn(frame: GossipFrame, from: Omit<HealthSource, 'sender'>): void {
    const { address, isGossip, nowMs } = from;
    const teller = frame.sender.nodeId;
    for (const rumour of frame.members)
      this.#membership.receive(rumour, { isSync: !isGossip, teller, nowMs });
    if (teller !== this.#selfId && !this.#membership.hear(frame.sender, address, nowMs))
      this.#syncer.meet(address, nowMs);
    const source = { ...from, sender: teller };
    for (const segment of frame.segments) this.#book.receiveSegment(segment, source);
    for (const report of frame.reports) this.#book.receiveReport(report, source);
    for (const head of frame.heads) this.#book.receiveHead(head, source);
    for (const digest of frame.digests) this.#book.receiveDigest(digest, source);
  }

  #answerProbe(frame: GossipFrame, from: string, nowMs: number): void {
    const { ack, nack, ping, pingRequest } = frame;
    if (ping && isFor(this.#selfId, ping))
      sendPacket(this.#context, { to: from, opening: { ack: ping.sequence } });
    if (pingRequest) this.#relays.request(from, pingRequest, nowMs);
    if (ack > 0) {
      this.#prober.onAck(ack);
      this.#relays.onAck(ack);
    }
    if (nack > 0) this.#prober.onNack(nack);
  }

  /** With nobody to tell, nothing is kept: who comes later pulls what it hears that there is. */
  #gossip(nowMs: number): void {
    if (nowMs < this.#gossipAtMs) return;
    const { lanes, random, self, settings, table } = this.#context;
    if (!self.hasLeft) this.#book.flush();
    if (lanes.size === 0) return;
    this.#gossipAtMs = nowMs + settings.gossipIntervalMs;
    this.#membership.remindDead(nowMs);
    const targets = table.pickActive(settings.gossipNodes, random);
    if (targets.length === 0) lanes.clear();
    else if (this.#wasAlone && !self.hasLeft) this.#book.announce();
    this.#wasAlone = targets.length === 0;
    for (const { record } of targets)
      if (lanes.size > 0) sendPacket(this.#context, { to: record.address });
  }
}

const isFor = (nodeId: NodeId, ping: Ping | null): boolean => ping?.target === nodeId;
