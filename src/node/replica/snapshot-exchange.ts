import type { LogBase, LogStore } from '../../raft/index.ts';
import type { Clock, Logger, LogIndex, PeerId, Term } from '../../shared/index.ts';
import type { Files, KvFactory } from '../../storage/index.ts';
import { installSnapshot, openSnapshot, removeOtherGenerations } from '../../storage/index.ts';
import type { PeerTransport, SnapshotOffer, SnapshotReceiver } from '../../transport/index.ts';
import type { Applier } from './applier.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReceivedSnapshot } from './snapshot-intake.ts';
import { SnapshotIntake } from './snapshot-intake.ts';
import { SnapshotSender } from './snapshot-sender.ts';
import type { ReplicaState } from './state.ts';
import { openState } from './state.ts';

export interface SnapshotExchangeInit {
  readonly files: Files;
  readonly kvFactory: KvFactory;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly transport: Pick<PeerTransport, 'sendSnapshot'>;
  readonly dataDirectory: string;
  readonly log: LogStore;
  /** Size of the chunks of new snapshots. */
  readonly chunkBytes: number;
  readonly driver: RaftDriver;
  readonly applier: Applier;
  readonly state: () => ReplicaState;
  readonly baseAt: (index: LogIndex) => LogBase;
  /** The new state is in force; caches of the old one must go. */
  readonly onSwitch: (state: ReplicaState, base: LogBase) => void;
  readonly onInstalled: () => void;
  readonly onFatal: (error: unknown) => void;
}

/** Snapshots out to peers that are far behind, and in from a leader that is far ahead. */
export class SnapshotExchange {
  readonly #init: SnapshotExchangeInit;
  readonly #sender: SnapshotSender;
  readonly #intake: SnapshotIntake;
  #received: ReceivedSnapshot | null = null;
  #generation: number;

  constructor(init: SnapshotExchangeInit) {
    this.#init = init;
    this.#generation = init.log.recovered.generation;
    this.#sender = this.#makeSender();
    this.#intake = this.#makeIntake();
  }

  /** The log must not be cut above this index; null: no transfer is under way. */
  get pinnedIndex(): LogIndex | null {
    return this.#sender.pinnedIndex;
  }

  send(to: PeerId): void {
    this.#sender.send(to);
  }

  accept(from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver> {
    return this.#intake.accept(from, offer);
  }

  /** The core has no use for what was received. */
  drop(): void {
    this.#received = null;
  }

  stop(): void {
    this.#sender.stop();
  }

  /** Fills a new engine beside the old one, then switches: the log's base record is the switch. */
  async install(base: LogBase): Promise<void> {
    const received = this.#received;
    if (received === null) return;
    try {
      await this.#fillAndSwitch(received, base);
    } catch (error) {
      this.#init.onFatal(error);
    }
  }

  async #fillAndSwitch(received: ReceivedSnapshot, base: LogBase): Promise<void> {
    const { kvFactory, dataDirectory, log, logger, driver, applier } = this.#init;
    const generation = this.#generation + 1;
    logger.info({ index: base.index, from: received.from }, 'Installing a snapshot');
    await this.#fill(received.path, generation);
    await applier.pause();
    await driver.exclusively(async () => {
      await this.#init.state().engine.close();
      await log.installBase(base, generation);
      const onFailure = this.#init.onFatal;
      const state = await openState({ kvFactory, dataDirectory, generation, onFailure });
      this.#generation = generation;
      this.#received = null;
      this.#init.onSwitch(state, base);
    });
    // The core first: what the new state has applied must have been released by it.
    driver.submit({ kind: 'snapshotInstalled', base });
    applier.resume(this.#init.state());
    this.#init.onInstalled();
    await removeOtherGenerations({ kvFactory, dataDirectory, generation });
  }

  async #fill(path: string, generation: number): Promise<void> {
    const { files, kvFactory, dataDirectory } = this.#init;
    const snapshot = await openSnapshot(files, path);
    try {
      await installSnapshot({ snapshot, kvFactory, dataDirectory, generation });
    } finally {
      await snapshot.close();
    }
  }

  #makeSender(): SnapshotSender {
    const { files, log, clock, logger, transport, driver, state, baseAt, chunkBytes } = this.#init;
    return new SnapshotSender({
      files,
      directory: this.#directory,
      clusterId: log.recovered.identity.clusterId,
      chunkBytes,
      clock,
      logger,
      engine: () => state().engine,
      term: (): Term => driver.view.term,
      firstIndex: () => driver.view.firstIndex,
      baseAt,
      send: (to, source, signal) => transport.sendSnapshot(to, source, signal),
      onSent: (to, index, ok) => driver.submit({ kind: 'snapshotSent', to, index, ok }),
    });
  }

  #makeIntake(): SnapshotIntake {
    const { files, log, driver } = this.#init;
    return new SnapshotIntake({
      files,
      directory: this.#directory,
      clusterId: log.recovered.identity.clusterId,
      onReceived: (received) => {
        this.#received = received;
        const { from, term, base } = received;
        driver.submit({ kind: 'snapshotReceived', from, term, base });
      },
    });
  }

  get #directory(): string {
    return `${this.#init.dataDirectory}/snapshots`;
  }
}
