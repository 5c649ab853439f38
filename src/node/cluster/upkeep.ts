import type { Config } from '../../config/index.ts';
import type { Member } from '../../raft/index.ts';
import { memberOf } from '../../raft/index.ts';
import type { Cancel, Clock, Logger } from '../../shared/index.ts';
import { codeOf, pause } from '../../shared/index.ts';
import type { Operation, StateMachine } from '../../store/index.ts';
import type { Replica } from '../replica/index.ts';
import { isSamePlace } from './admission.ts';
import { explicitDifferences, settingsFrom } from './own-settings.ts';

const intervalMs = 1_000;
const retryMs = 200;
const barrierTimeoutMs = 5_000;

type Port = Pick<Replica, 'self' | 'configuration' | 'mayDecide' | 'readBarrier'> & {
  readonly state: { readonly machine: Pick<StateMachine, 'settings'> };
};

export interface UpkeepInit {
  readonly config: Config;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly replica: Port;
  /** This node as it would have itself listed. */
  readonly self: Member;
  readonly commit: (operation: Operation) => Promise<unknown>;
  /** Tells the leader where this node is now. Rejects with CONFLICT when another has the address. */
  readonly update: (member: Member) => Promise<void>;
  /** On the leader: lets removed nodes know that they are. */
  readonly tellRemoved: () => void;
  /** From here on, applied entries are news and not a replay of the log. */
  readonly onLive: () => void;
}

/** Brings what the cluster has stored in line with this node's flags and addresses. */
export class Upkeep {
  readonly #init: UpkeepInit;
  #cancel: Cancel = () => undefined;
  #stopped = false;
  #isLive = false;
  #comparedSettings = false;
  /** Why the others do not list this node where it is; said once. */
  #refusal: string | null = null;

  constructor(init: UpkeepInit) {
    this.#init = init;
  }

  /** Caught up once with a leader of this time. */
  get isLive(): boolean {
    return this.#isLive;
  }

  start(): void {
    this.#plan();
    void this.#goLive();
  }

  stop(): void {
    this.#stopped = true;
    this.#cancel();
  }

  #plan(): void {
    this.#cancel = this.#init.clock.after(intervalMs, () => {
      void this.#run()
        .catch((error: unknown) => this.#init.logger.debug({ error }, 'Upkeep goes on later'))
        .finally(() => {
          if (!this.#stopped) this.#plan();
        });
    });
  }

  async #goLive(): Promise<void> {
    const { replica, clock, onLive } = this.#init;
    while (!this.#stopped && !this.#isLive) {
      try {
        await replica.readBarrier(barrierTimeoutMs);
        this.#isLive = true;
        onLive();
      } catch {
        await pause(clock, retryMs);
      }
    }
  }

  async #run(): Promise<void> {
    this.#init.tellRemoved();
    const { configuration, self } = this.#init.replica;
    const listed = memberOf(configuration, self);
    if (!this.#isLive || listed === undefined) return;
    await this.#keepSettings();
    const own = { ...this.#init.self, role: listed.role };
    if (isSamePlace(listed, own)) this.#isListed();
    else await this.#update(own);
  }

  async #update(own: Member): Promise<void> {
    try {
      await this.#init.update(own);
    } catch (error) {
      if (codeOf(error) !== 'CONFLICT' || !(error instanceof Error)) throw error;
      if (error.message === this.#refusal) return;
      this.#refusal = error.message;
      const what = 'The cluster keeps listing this node at an earlier address';
      this.#init.logger.warn({ error }, `${what}: ${error.message}`);
    }
  }

  #isListed(): void {
    if (this.#refusal === null) return;
    this.#refusal = null;
    this.#init.logger.info({}, 'The cluster lists this node at its addresses again');
  }

  /** The first start stores the settings; an explicitly different flag changes them for all. */
  async #keepSettings(): Promise<void> {
    const { config, logger, replica, commit } = this.#init;
    const stored = replica.state.machine.settings;
    if (stored === null) {
      if (!replica.mayDecide) return;
      await commit({ kind: 'putSettings', settings: settingsFrom(config) });
    } else if (!this.#comparedSettings) {
      const settings = explicitDifferences(config, stored);
      if (Object.keys(settings).length > 0) {
        await commit({ kind: 'putSettings', settings });
        const names = Object.keys(settings).join(', ');
        logger.warn({ settings }, `Changed ${names} for all nodes, as the flags here say`);
      }
      this.#comparedSettings = true;
    }
  }
}
