import type { Ping } from '../wire/index.ts';
import { sendPacket } from './context.ts';
import type { Context } from './context.ts';
import { limits } from './limits.ts';
import { isEnded } from './members.ts';
import type { Prober } from './prober.ts';

/** The part of probeTimeout after which a helper says that it heard nothing. */
const NACK_AFTER_SHARE = 0.8;

interface Relay {
  readonly requester: string;
  readonly requestedSequence: number;
  readonly nackAtMs: number;
  readonly forgottenAtMs: number;
  hasNacked: boolean;
}

/** Probes made for others (SWIM, 3.1). Bounded by limits.relaysMax: further ones get no help. */
export class Relays {
  readonly #context: Context;
  readonly #prober: Prober;
  readonly #running = new Map<number, Relay>();

  constructor(context: Context, prober: Prober) {
    this.#context = context;
    this.#prober = prober;
  }

  /** Only known members are pinged: a stranger's wish makes this node send nothing. */
  request(from: string, ping: Ping, nowMs: number): void {
    const { settings, table } = this.#context;
    const member = table.get(ping.target);
    if (!member || isEnded(member.record) || this.#running.size >= limits.relaysMax) {
      sendPacket(this.#context, { to: from, opening: { nack: ping.sequence } });
      return;
    }
    const sequence = this.#prober.nextSequence();
    this.#running.set(sequence, {
      requester: from,
      requestedSequence: ping.sequence,
      nackAtMs: nowMs + settings.probeTimeoutMs * NACK_AFTER_SHARE,
      forgottenAtMs: nowMs + settings.probeIntervalMs * settings.awarenessMax,
      hasNacked: false,
    });
    this.#prober.ping(member, sequence);
  }

  onAck(sequence: number): void {
    const relay = this.#running.get(sequence);
    if (!relay) return;
    this.#running.delete(sequence);
    sendPacket(this.#context, { to: relay.requester, opening: { ack: relay.requestedSequence } });
  }

  tick(nowMs: number): void {
    for (const [sequence, relay] of this.#running) {
      if (!relay.hasNacked && nowMs >= relay.nackAtMs) this.#nack(relay);
      if (nowMs >= relay.forgottenAtMs) this.#running.delete(sequence);
    }
  }

  nextDeadlineMs(): number {
    let next = Infinity;
    for (const { hasNacked, nackAtMs, forgottenAtMs } of this.#running.values())
      next = Math.min(next, hasNacked ? forgottenAtMs : nackAtMs);
    return next;
  }

  clear(): void {
    this.#running.clear();
  }

  #nack(relay: Relay): void {
    relay.hasNacked = true;
    sendPacket(this.#context, { to: relay.requester, opening: { nack: relay.requestedSequence } });
  }
}
