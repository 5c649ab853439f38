import type { LogBase, LogStore } from '../../raft/index.ts';
import type { Clock, Logger, LogIndex, PeerId } from '../../shared/index.ts';
import { assert, codeOf, QuorateError } from '../../shared/index.ts';
import type { Files, KvFactory } from '../../storage/index.ts';
import {
  installSnapshot,
  openSnapshot,
  removeOtherGenerations,
  removeSnapshots,
  snapshotDirectory,
} from '../../storage/index.ts';
import type { PeerTransport, SnapshotOffer, SnapshotReceiver } from '../../transport/index.ts';
import type { Applier } from './applier.ts';
import type { RaftDriver } from './raft-driver.ts';
import type { ReplicaObserver } from './replica-init.ts';
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
  readonly observe: ReplicaObserver['snapshot'];
  readonly onFatal: (error: unknown) => void;
}

/** Snapshots out to peers that are far behind, and in from a leader that is far ahead. */
export class SnapshotExchange {
  readonly #init: SnapshotExchangeInit;
  readonly #sender: SnapshotSender;
  readonly #intake: SnapshotIntake;
  readonly #stopping = new AbortController();
  #received: ReceivedSnapshot | null = null;
  #installing: Promise<void> | null = null;
  #tidying: Promise<void> | null = null;
  #cannotTidy = false;
  #isSwitching = false;
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

  /** The engine is being replaced: nothing else may use it. */
  get isSwitching(): boolean {
    return this.#isSwitching;
  }

  /** The disk is nearly full: deletes the snapshots that nobody sends, takes in or installs. */
  makeRoom(): void {
    this.#tidying ??= this.#intake
      .whileIdle(() => this.#tidy())
      .catch((error: unknown) => this.#onCannotTidy(error))
      .finally(() => (this.#tidying = null));
  }

  /** Resolves when no transfer and no install touches disk or engine any more. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#tidying;
    await this.#sender.stop();
    await this.#installing;
  }

  /** Fills a new engine beside the old one, then switches: the log's base record is the switch. */
  install(base: LogBase): void {
    const received = this.#received;
    assert(received !== null, `Snapshot ${base.index} lies ready`);
    this.#received = null;
    this.#installing = this.#fillAndSwitch(received, base)
      .then(() => this.#init.observe('installed', 'ok'))
      .catch((error: unknown) => {
        if (!this.#stopping.signal.aborted) this.#init.onFatal(error);
      })
      .finally(() => (this.#installing = null));
  }

  async #tidy(): Promise<void> {
    const isNeeded = this.#sender.isReading || this.#received !== null || this.#installing !== null;
    if (isNeeded || this.#stopping.signal.aborted) return;
    await removeSnapshots(this.#init.files, this.#directory);
  }

  /** Tried again with the next look at the disk, and said once. */
  #onCannotTidy(error: unknown): void {
    if (!this.#cannotTidy) this.#init.logger.warn({ error }, 'Could not delete old snapshots');
    this.#cannotTidy = true;
  }

  async #fillAndSwitch(received: ReceivedSnapshot, base: LogBase): Promise<void> {
    const { kvFactory, dataDirectory, logger, driver, applier } = this.#init;
    const generation = this.#generation + 1;
    const { from } = received;
    logger.info({ index: base.index, from }, `Installing a snapshot from ${from}`);
    const state = await this.#stateFrom(received.path, generation);
    try {
      await applier.pause();
      await driver.exclusively(() => this.#switch(base, generation, state));
    } catch (error) {
      await state.engine.close().catch(() => undefined); // The first error says more.
      throw error;
    }
    // The core first: what the new state has applied must have been released by it.
    driver.submit({ kind: 'snapshotInstalled', base });
    applier.resume(this.#init.state());
    this.#init.onInstalled();
    await removeOtherGenerations({ kvFactory, dataDirectory, generation });
  }

  async #switch(base: LogBase, generation: number, state: ReplicaState): Promise<void> {
    this.#isSwitching = true;
    await this.#init.state().engine.close();
    await this.#init.log.installBase(base, generation);
    this.#generation = generation;
    this.#init.onSwitch(state, base);
    this.#isSwitching = false;
  }

  /**
   * Opens and checks the new state before the old one is given up. Nothing that this node promised
   * is in the file: a bad one is taken away, and asked for again.
   */
  async #stateFrom(path: string, generation: number): Promise<ReplicaState> {
    const { kvFactory, dataDirectory, clock, onFatal: onFailure } = this.#init;
    try {
      await this.#fill(path, generation);
      return await openState({ kvFactory, dataDirectory, generation, clock, onFailure });
    } catch (cause) {
      if (!(cause instanceof Error) || codeOf(cause) !== 'STORAGE_DAMAGED') throw cause;
      await this.#init.files.remove(path);
      const message = `Cannot install the snapshot that came, which is deleted now: ${cause.message}`;
      throw new QuorateError('STORAGE_FAILED', message, { cause });
    }
  }

  async #fill(path: string, generation: number): Promise<void> {
    const { files, kvFactory, dataDirectory } = this.#init;
    const { signal } = this.#stopping;
    const snapshot = await openSnapshot(files, path);
    try {
      await installSnapshot({ snapshot, kvFactory, dataDirectory, generation, signal });
    } finally {
      await snapshot.close();
    }
  }

  #makeSender(): SnapshotSender {
    const { log, transport, driver, state } = this.#init;
    return new SnapshotSender({
      ...this.#init,
      directory: this.#directory,
      clusterId: log.recovered.identity.clusterId,
      engine: () => state().engine,
      stateBytes: () => state().machine.databaseBytes,
      view: () => driver.view,
      send: (to, source, signal) => transport.sendSnapshot(to, source, signal),
      onSent: (to, index, ok) => driver.submit({ kind: 'snapshotSent', to, index, ok }),
    });
  }

  #makeIntake(): SnapshotIntake {
    const { files, log, driver, onFatal } = this.#init;
    return new SnapshotIntake({
      files,
      directory: this.#directory,
      clusterId: log.recovered.identity.clusterId,
      onFatal,
      onReceived: (received) => {
        this.#received = received;
        const { from, term, base } = received;
        driver.submit({ kind: 'snapshotReceived', from, term, base });
      },
    });
  }

  get #directory(): string {
    return snapshotDirectory(this.#init.dataDirectory);
  }
}
