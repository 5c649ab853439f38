import type { NodeId } from '../shared/index.ts';
import { encodeMember } from '../wire/index.ts';
import type { Ping } from '../wire/index.ts';
import { openFrame, sendPacket } from './context.ts';
import type { Context } from './context.ts';
import type { Exchanges } from './exchanges.ts';
import { isEnded } from './members.ts';
import type { Member } from './members.ts';
import { ProbeOrder } from './probe-order.ts';

/** One probe: direct, then through others and over TCP, then judged. */
interface Flight {
  readonly target: NodeId;
  readonly to: string;
  readonly sequence: number;
  indirectAtMs: number;
  deadlineMs: number;
  stage: 'direct' | 'indirect';
  nacksExpected: number;
  nacks: number;
}

export interface ProberHooks {
  /** The target did not answer in any way. */
  onSilent(target: NodeId, nowMs: number): void;
}

/** Failure detector of SWIM (3.1) with Lifeguard's local health: one probe in flight at most. */
export class Prober {
  readonly order: ProbeOrder;
  readonly #context: Context;
  readonly #exchanges: Exchanges;
  readonly #hooks: ProberHooks;
  #flight: Flight | null = null;
  #nextProbeAtMs = 0;
  #sequence: number;

  constructor(context: Context, exchanges: Exchanges, hooks: ProberHooks) {
    this.order = new ProbeOrder(context.random);
    this.#context = context;
    this.#exchanges = exchanges;
    this.#hooks = hooks;
    this.#sequence = 1 + context.random.intBelow(2 ** 31);
  }

  nextSequence(): number {
    return ++this.#sequence;
  }

  tick(nowMs: number): void {
    const flight = this.#flight;
    if (flight && nowMs >= flight.deadlineMs) this.#fail(flight, nowMs);
    else if (flight && flight.stage === 'direct' && nowMs >= flight.indirectAtMs)
      this.#askOthers(flight, nowMs);
    if (!this.#flight && nowMs >= this.#nextProbeAtMs) this.#start(nowMs);
  }

  nextDeadlineMs(): number {
    const flight = this.#flight;
    if (!flight) return this.#nextProbeAtMs;
    return flight.stage === 'direct' ? flight.indirectAtMs : flight.deadlineMs;
  }

  /** Looks at somebody that others suspect now rather than when its turn comes. */
  urge(nodeId: NodeId, nowMs: number): void {
    this.order.urge(nodeId);
    if (!this.#flight) this.#nextProbeAtMs = Math.min(this.#nextProbeAtMs, nowMs);
  }

  onAck(sequence: number): void {
    if (this.#flight?.sequence !== sequence) return;
    this.#flight = null;
    this.#context.awareness.add(-1);
  }

  onNack(sequence: number): void {
    if (this.#flight?.sequence === sequence) this.#flight.nacks++;
  }

  /** Nothing can be sent there: no need to wait for an answer. */
  onSendFailed(to: string, nowMs: number): void {
    const flight = this.#flight;
    if (flight?.to === to && flight.stage === 'direct') this.#askOthers(flight, nowMs);
  }

  postpone(lagMs: number): void {
    if (!this.#flight) return;
    this.#flight.indirectAtMs += lagMs;
    this.#flight.deadlineMs += lagMs;
  }

  stop(): void {
    this.#flight = null;
  }

  #start(nowMs: number): void {
    const { awareness, settings, table } = this.#context;
    const periodMs = awareness.scale(settings.probeIntervalMs);
    this.#nextProbeAtMs = nowMs + periodMs;
    const target = this.order.next((nodeId) => isProbed(table.get(nodeId)));
    const member = target === undefined ? undefined : table.get(target);
    if (!member) return;
    const flight: Flight = {
      target: member.nodeId,
      to: member.record.address,
      sequence: this.nextSequence(),
      indirectAtMs: nowMs + settings.probeTimeoutMs,
      deadlineMs: nowMs + periodMs,
      stage: 'direct',
      nacksExpected: 0,
      nacks: 0,
    };
    this.#flight = flight;
    this.ping(member, flight.sequence);
  }

  /** A suspect learns from the probe that it is one (Lifeguard, buddy system). */
  ping(member: Member, sequence: number): void {
    const { record } = member;
    const rumour = { record, accuser: '', endedSeconds: 0 } as const;
    const ping: Ping = { sequence, target: member.nodeId };
    const first = record.status === 'alive' ? [] : [encodeMember(rumour)];
    sendPacket(this.#context, { to: record.address, opening: { ping }, first });
  }

  #askOthers(flight: Flight, nowMs: number): void {
    const { random, settings, table } = this.#context;
    flight.stage = 'indirect';
    const ping: Ping = { sequence: flight.sequence, target: flight.target };
    const helpers = table.pick(
      settings.indirectProbes,
      random,
      ({ nodeId, record }) => record.status === 'alive' && nodeId !== flight.target,
    );
    flight.nacksExpected = helpers.length;
    for (const { record } of helpers)
      sendPacket(this.#context, { to: record.address, opening: { pingRequest: ping } });
    this.#exchanges.start(
      {
        to: flight.to,
        bytes: openFrame(this.#context, { ping }),
        timeoutMs: Math.max(1, flight.deadlineMs - nowMs),
        purpose: { kind: 'probe', sequence: flight.sequence },
      },
      nowMs,
    );
  }

  /** Helpers that did not even say no are a sign that this node is the one that is unwell. */
  #fail(flight: Flight, nowMs: number): void {
    this.#flight = null;
    const { nacks, nacksExpected } = flight;
    this.#context.awareness.add(nacksExpected > 0 ? Math.max(0, nacksExpected - nacks) : 1);
    if (isProbed(this.#context.table.get(flight.target)))
      this.#hooks.onSilent(flight.target, nowMs);
  }
}

const isProbed = (member: Member | undefined): boolean =>
  member !== undefined && !isEnded(member.record);
