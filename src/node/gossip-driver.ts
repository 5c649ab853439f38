import type {
  GossipCore,
  GossipEffect,
  MemberView,
  OwnReport,
  OwnVerdict,
} from '../gossip/index.ts';
import type { Cancel, Clock, Logger } from '../shared/index.ts';
import type { GossipSockets } from '../transport/index.ts';

export interface GossipDriverInit {
  readonly core: GossipCore;
  readonly sockets: Pick<GossipSockets, 'send' | 'exchange'>;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly onPacket: (result: 'sent' | 'received' | 'failed') => void;
  /** Everything that is not a send or an exchange. */
  readonly onEffect: (effect: GossipEffect) => void;
}

/** A timer later than this by a busy event loop: read what waits before judging anybody. */
const lateMsMax = 50;

/** Runs the gossip core on sockets and one timer. */
export class GossipDriver {
  readonly #init: GossipDriverInit;
  #cancelTimer: Cancel = () => undefined;
  #isDraining = false;
  #stopped = false;

  constructor(init: GossipDriverInit) {
    this.#init = init;
  }

  start(seeds: readonly string[]): void {
    this.join(seeds);
    this.#after();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancelTimer();
  }

  datagram(from: string, bytes: Uint8Array): void {
    if (this.#stopped) return;
    this.#init.onPacket('received');
    this.#init.core.receive(from, bytes, this.#now());
    this.#after();
  }

  /** Answers a request over TCP; null refuses it. */
  exchange(from: string, bytes: Uint8Array): Uint8Array | null {
    if (this.#stopped) return null;
    const response = this.#init.core.serveExchange(from, bytes, this.#now());
    this.#after();
    return response;
  }

  sendFailed(to: string): void {
    if (this.#stopped) return;
    this.#init.onPacket('failed');
    this.#init.core.sendFailed(to, this.#now());
    this.#after();
  }

  join(seeds: readonly string[]): void {
    if (seeds.length > 0) this.#init.core.join([...seeds], this.#now());
    this.#after();
  }

  leave(): void {
    this.#init.core.leave(this.#now());
    this.#after();
  }

  rejoin(): void {
    this.#init.core.rejoin(this.#now());
    this.#after();
  }

  noteLag(lagMs: number): void {
    this.#init.core.noteLag(lagMs, this.#now());
  }

  publishVerdict(verdict: OwnVerdict): void {
    this.#init.core.publishVerdict(verdict);
    this.#after();
  }

  retractVerdict(keyId: number): void {
    this.#init.core.retractVerdict(keyId);
    this.#after();
  }

  publishReport(report: OwnReport): void {
    this.#init.core.publishReport(report);
    this.#after();
  }

  members(): readonly MemberView[] {
    return this.#init.core.members();
  }

  #now(): number {
    return this.#init.clock.monotonicMs();
  }

  /** Carries out what the core wants, then waits for its next deadline. */
  #after(): void {
    if (this.#isDraining || this.#stopped) return;
    this.#isDraining = true;
    const { core } = this.#init;
    try {
      // What is carried out may make the core want more.
      for (let effects = core.drain(); effects.length > 0; effects = core.drain()) {
        for (const effect of effects) this.#carryOut(effect);
      }
    } finally {
      this.#isDraining = false;
    }
    this.#plan();
  }

  #carryOut(effect: GossipEffect): void {
    if (effect.kind === 'send') {
      this.#init.onPacket('sent');
      this.#init.sockets.send(effect.to, effect.bytes);
    } else if (effect.kind === 'exchange') void this.#ask(effect);
    else this.#init.onEffect(effect);
  }

  async #ask(effect: Extract<GossipEffect, { kind: 'exchange' }>): Promise<void> {
    let response: Uint8Array | null = null;
    try {
      response = await this.#init.sockets.exchange(effect.to, effect.bytes, effect.timeoutMs);
    } catch (error) {
      this.#init.logger.debug({ to: effect.to, error }, 'A gossip exchange failed');
    }
    if (this.#stopped) return;
    this.#init.core.exchangeEnded(effect.id, response, this.#now());
    this.#after();
  }

  #plan(): void {
    this.#cancelTimer();
    if (this.#stopped) return;
    const deadlineMs = this.#init.core.nextDeadlineMs();
    const delayMs = Math.max(1, Math.min(deadlineMs - this.#now(), 60_000));
    this.#cancelTimer = this.#init.clock.after(delayMs, () => this.#due(deadlineMs));
  }

  #due(deadlineMs: number): void {
    const isLate = this.#now() - deadlineMs > lateMsMax;
    if (isLate) this.#init.clock.afterPendingInput(() => this.#tick());
    else this.#tick();
  }

  #tick(): void {
    if (this.#stopped) return;
    this.#init.core.tick(this.#now());
    this.#after();
  }
}
