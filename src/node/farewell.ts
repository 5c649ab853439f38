import type { Clock, Logger } from '../shared/index.ts';
import { pause, QuorateError } from '../shared/index.ts';
import { handOverToBest } from './cluster/handing-over.ts';
import type { GossipDriver } from './gossip-driver.ts';
import type { Replica } from './replica/index.ts';
import type { Watching } from './watching/index.ts';

/** An attempt of the core ends after an election timeout: there is time for some. */
const transferTimeoutMs = 2_000;
const notificationPollMs = 50;
/** On top of the deadline of a notification: to kill what ignores it and to record the end. */
const notificationGraceMs = 12_000;
/** How long a leaving node stays to spread that it left. */
const spreadMs = 300;
const diskGraceMs = 4_000;

export interface FarewellInit {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly replica: Pick<Replica, 'self' | 'isLeader' | 'configuration' | 'transfer' | 'stop'>;
  readonly gossip: Pick<GossipDriver, 'leave' | 'stop'>;
  readonly watching: Pick<Watching, 'notificationsRunning'>;
  readonly notifyTimeoutMs: () => number;
}

/** Takes a member out of service in the order in which others notice least. Every wait has an end. */
export class Farewell {
  readonly #init: FarewellInit;

  constructor(init: FarewellInit) {
    this.#init = init;
  }

  /**
   * Running notifications and what clients wait for (until `requestsEnd`) end first. Rejects with
   * STORAGE_FAILED when the disk does not come to rest.
   */
  async say(requestsEnd: Promise<void>): Promise<void> {
    const { replica, gossip } = this.#init;
    await this.#handOver();
    await this.#notificationsEnd();
    await requestsEnd;
    gossip.leave();
    if (replica.configuration.members.length > 1) await this.#sleep(spreadMs);
    gossip.stop();
    await this.#replicaStops();
  }

  async #handOver(): Promise<void> {
    const { replica, logger } = this.#init;
    if (!replica.isLeader || replica.configuration.members.length < 2) return;
    const found = await handOverToBest(this.#init, transferTimeoutMs);
    if (found === null) logger.info({}, 'Handed leadership over');
    else logger.warn({ found }, `Stopping without handing leadership over: ${found}`);
  }

  /** Scripts are killed at their deadline; nothing may keep the stop waiting much longer than that. */
  async #notificationsEnd(): Promise<void> {
    const { clock, watching, notifyTimeoutMs } = this.#init;
    const deadlineMs = clock.monotonicMs() + notifyTimeoutMs() + notificationGraceMs;
    while (watching.notificationsRunning > 0 && clock.monotonicMs() < deadlineMs) {
      await this.#sleep(notificationPollMs);
    }
  }

  async #replicaStops(): Promise<void> {
    const isLate = this.#sleep(diskGraceMs).then(() => true);
    const stopped = this.#init.replica.stop().then(() => false);
    if (!(await Promise.race([stopped, isLate]))) return;
    const found = `it did not finish its writes within ${diskGraceMs} ms`;
    throw new QuorateError('STORAGE_FAILED', `Cannot stop with the disk at rest: ${found}`);
  }

  #sleep(delayMs: number): Promise<void> {
    return pause(this.#init.clock, delayMs);
  }
}
