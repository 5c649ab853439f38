import { StallGuard, stallLateMsMax } from '../../health/index.ts';
import type { Cancel, Clock, Logger } from '../../shared/index.ts';
import type { GossipDriver } from '../gossip-driver.ts';

const beatMs = 250;
/** Half a LAN probe time-out: less says nothing about this node's probes. */
const lagMsMin = 250;

export interface StallWatchInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly gossip: Pick<GossipDriver, 'noteLag'>;
  /** One verification interval. */
  readonly intervalMs: number;
}

/** Beats, and says when the beats were late: votes abstain then, and gossip blames nobody. */
export class StallWatch {
  readonly #init: StallWatchInit;
  readonly guard: StallGuard;
  #wasAbstaining = false;
  #cancel: Cancel = () => undefined;

  constructor(init: StallWatchInit) {
    this.#init = init;
    const { clock, intervalMs } = init;
    const settings = { intervalMs, beatMs, lateMsMax: stallLateMsMax };
    this.guard = new StallGuard(settings, clock.monotonicMs());
  }

  start(): void {
    this.#cancel = this.#init.clock.after(beatMs, () => {
      this.#beat();
      this.start();
    });
  }

  stop(): void {
    this.#cancel();
  }

  get abstains(): boolean {
    return this.guard.abstains(this.#init.clock.monotonicMs());
  }

  #beat(): void {
    const { clock, gossip, logger } = this.#init;
    const lateMs = this.guard.beat(clock.monotonicMs());
    if (lateMs > lagMsMin) gossip.noteLag(lateMs);
    const { abstains } = this;
    if (abstains === this.#wasAbstaining) return;
    this.#wasAbstaining = abstains;
    if (!abstains) logger.info({}, 'This process runs in time again: its votes count');
    else logger.warn({ lateMs }, 'This process did not run in time: its votes abstain for a while');
  }
}
