import type {
  Configuration,
  LogBase,
  MemberChange,
  RaftMessage,
  RaftRole,
  RaftView,
  Reply,
} from '../../raft/index.ts';
import type { LogIndex, PeerId, Term } from '../../shared/index.ts';
import { asIndex } from '../../shared/index.ts';
import { removeLeftovers, removeOtherGenerations, snapshotDirectory } from '../../storage/index.ts';
import type { Envelope } from '../../store/index.ts';
import { encodeEnvelope } from '../../store/index.ts';
import type { SnapshotOffer, SnapshotReceiver } from '../../transport/index.ts';
import { AppliedHistory } from './applied-history.ts';
import { Applier } from './applier.ts';
import type { Applied } from './command-client.ts';
import { CommandClient } from './command-client.ts';
import { Compactor } from './compactor.ts';
import { DigestMarks } from './digest-marks.ts';
import type { DiskRoom } from './disk-room.ts';
import { EntryCache } from './entry-cache.ts';
import { answerForwarded, forwardThrough } from './forwarding.ts';
import { MemberChanges } from './member-changes.ts';
import { Proposer } from './proposer.ts';
import { RaftDriver } from './raft-driver.ts';
import { ReadClient } from './read-client.ts';
import { coreFrom, ownPeerId } from './recovered-core.ts';
import { noObserver } from './replica-init.ts';
import type { ReplicaInit } from './replica-init.ts';
import { SnapshotExchange } from './snapshot-exchange.ts';
import type { ReplicaState } from './state.ts';
import { checkStateMeetsLog, openState } from './state.ts';

/** One copy of the replicated state: the log, the Raft core, the state machine and their drivers. */
export class Replica {
  readonly #init: Required<ReplicaInit>;
  readonly #cache: EntryCache;
  readonly #history: AppliedHistory;
  readonly #applier: Applier;
  readonly #driver: RaftDriver;
  readonly #proposer: Proposer;
  readonly #commands: CommandClient;
  readonly #reads: ReadClient;
  readonly #snapshots: SnapshotExchange;
  readonly #compactor: Compactor;
  readonly #changes: MemberChanges;
  readonly self: PeerId;
  /** Digests of the state, to be compared with those of others. */
  readonly marks: DigestMarks;
  #state: ReplicaState;
  #noopIndex: LogIndex = asIndex(0);
  #failed = false;

  private constructor(init: ReplicaInit, state: ReplicaState) {
    const { recovered } = init.log;
    this.#init = { observer: noObserver, ...init };
    this.#state = state;
    this.self = ownPeerId(recovered);
    this.#cache = new EntryCache(init.settings.cacheBytesMax);
    this.#history = new AppliedHistory(recovered);
    this.marks = new DigestMarks(init.settings.digestEveryEntries);
    this.#applier = this.#makeApplier();
    this.#driver = this.#makeDriver();
    this.#changes = new MemberChanges(this.#driver, () => this.#applier);
    this.#proposer = this.#makeProposer();
    this.#commands = this.#makeCommands();
    this.#reads = new ReadClient(this.#driver, this.#applier, init.clock);
    this.#snapshots = this.#makeSnapshots();
    this.#compactor = this.#makeCompactor();
  }

  /** Loads the state that belongs to the log. Throws STORAGE_DAMAGED, DATA_DIRECTORY_LOCKED. */
  static async open(init: ReplicaInit): Promise<Replica> {
    const { files, kvFactory, dataDirectory, log, clock, events } = init;
    const { generation } = log.recovered;
    await removeOtherGenerations({ kvFactory, dataDirectory, generation });
    await removeLeftovers(files, snapshotDirectory(dataDirectory));
    const onFailure = (error: unknown): void => events.onFatal(error);
    const state = await openState({ kvFactory, dataDirectory, generation, clock, onFailure });
    await checkStateMeetsLog(state, log.recovered);
    return new Replica(init, state);
  }

  get state(): ReplicaState {
    return this.#state;
  }

  /** A snapshot's state is about to take the place of this one, which may be closed already. */
  get isReplacingState(): boolean {
    return this.#snapshots.isSwitching;
  }

  get view(): RaftView {
    return this.#driver.view;
  }

  /** A write of the log takes too long. */
  get isDiskStalled(): boolean {
    return this.#driver.isDiskStalled;
  }

  get configuration(): Configuration {
    return this.view.configuration.configuration;
  }

  get isLeader(): boolean {
    return this.view.role === 'leader';
  }

  /** Leads, and has applied its own no-op: what it sees is not older than what anybody was told. */
  get mayDecide(): boolean {
    return this.isLeader && this.view.leaderReady && this.#applier.appliedIndex >= this.#noopIndex;
  }

  start(): void {
    this.#driver.start();
    this.#compactor.start();
  }

  /** What was found on the disk: when it is nearly full old snapshots go and the log is cut sooner. */
  onRoom(room: DiskRoom): void {
    this.#compactor.onRoom(room);
    if (room !== 'enough') this.#snapshots.makeRoom();
  }

  /** Hands over nothing by itself: see `transfer`. Closes log and engine. */
  async stop(): Promise<void> {
    this.#commands.abandon();
    this.#reads.abandon();
    this.#proposer.abandon();
    this.#changes.abandon();
    await this.#compactor.stop();
    await this.#snapshots.stop();
    await this.#driver.stop();
    if (this.#failed) return;
    await this.#applier.pause();
    this.#applier.abandon();
    await this.#state.engine.close();
    await this.#init.log.close();
  }

  receive(messages: readonly RaftMessage[]): void {
    this.#driver.receive(messages);
  }

  /** Commits a command through whoever leads. Rejects as CommandClient does. */
  run(envelope: Envelope, timeoutMs: number): Promise<Applied> {
    const isRepeatable = envelope.sequence > 0;
    return this.#commands.run(encodeEnvelope(envelope), timeoutMs, { isRepeatable });
  }

  /** After it, reads of this node's state are linearizable. */
  readBarrier(timeoutMs: number): Promise<void> {
    return this.#reads.barrier(timeoutMs);
  }

  /** A peer forwards commands: they are proposed here, or refused when this node does not lead. */
  onPropose(body: Uint8Array): Promise<Uint8Array> {
    return answerForwarded(this.#proposer, body);
  }

  onSnapshot(from: PeerId, offer: SnapshotOffer): Promise<SnapshotReceiver> {
    return this.#snapshots.accept(from, offer);
  }

  /**
   * On the leader: resolves with the reply once the changes are committed and no former voter is
   * needed for anything any more, or once they are refused.
   */
  changeMembers(
    changes: MemberChange | readonly MemberChange[],
    expectedIndex: LogIndex | null = null,
  ): Promise<Reply> {
    return this.#changes.make('kind' in changes ? [changes] : changes, expectedIndex);
  }

  /** Hands leadership to `to` or to the best follower. */
  transfer(to: PeerId | null): Promise<Reply> {
    return new Promise((resolve) => {
      this.#driver.submit({ kind: 'transfer', tag: this.#driver.tag(resolve), to });
    });
  }

  #makeApplier(): Applier {
    return new Applier(
      {
        log: this.#init.log,
        cache: this.#cache,
        history: this.#history,
        marks: this.marks,
        onApplied: (index) => this.#driver.submit({ kind: 'applied', index }),
        onNotices: (notices) => this.#init.events.onNotices(notices),
        onFatal: (error) => this.#fatal(error),
      },
      this.#state,
    );
  }

  #makeDriver(): RaftDriver {
    const { log, transport, clock, logger, settings, events } = this.#init;
    return new RaftDriver({
      core: coreFrom(this.#init, this.#state.engine.openedAtIndex),
      log,
      cache: this.#cache,
      transport,
      clock,
      logger,
      tickMs: settings.tickMs,
      diskStallMs: settings.diskStallMs,
      onWritten: this.#init.observer.logWritten,
      events: {
        onReadyToApply: (index) => this.#applier.applyUpTo(index),
        onRoleChange: (change) => this.#onRoleChange(change),
        onConfiguration: (configuration) => {
          this.#changes.onConfiguration();
          events.onConfiguration(configuration);
        },
        onSendSnapshot: (to) => this.#snapshots.send(to),
        onInstallSnapshot: (wanted) => this.#snapshots.install(wanted),
        onDropSnapshot: () => this.#snapshots.drop(),
        onDiskIdle: () => this.#proposer.onDiskIdle(),
        onFatal: (error) => this.#fatal(error),
      },
    });
  }

  #makeProposer(): Proposer {
    const { clock, settings } = this.#init;
    return new Proposer({
      driver: this.#driver,
      applier: () => this.#applier,
      entryBytesMax: settings.entryBytesMax,
      wallMs: () => clock.wallMs(),
      monotonicMs: () => clock.monotonicMs(),
      onProposed: this.#init.observer.proposed,
      afterThisTurn: (run) => clock.afterPendingInput(run),
    });
  }

  #makeCommands(): CommandClient {
    const { clock, transport } = this.#init;
    return new CommandClient({
      clock,
      leader: () => this.view.leader,
      isLeader: () => this.isLeader,
      proposeHere: (envelope, resolve) => this.#proposer.propose(envelope, resolve),
      forward: forwardThrough(transport),
    });
  }

  #makeCompactor(): Compactor {
    return new Compactor({
      ...this.#init,
      settings: this.#init.settings.compaction,
      history: this.#history,
      appliedIndex: () => this.#applier.appliedIndex,
      isBusy: () => this.isReplacingState,
      flush: () => this.#state.engine.flush(),
      pinnedIndex: () => this.#snapshots.pinnedIndex,
      // The core forgets first, so that it never orders entries that are gone.
      onCut: (base) => this.#driver.submit({ kind: 'compacted', base }),
      onFatal: (error) => this.#fatal(error),
    });
  }

  #onRoleChange(change: { role: RaftRole; leader: PeerId | null; term: Term }): void {
    if (change.role === 'leader') this.#noopIndex = this.view.lastIndex;
    this.#init.events.onRoleChange(change);
    this.#proposer.onRoleChange();
    this.#commands.onLeaderChange();
    this.#reads.onLeaderChange();
  }

  #makeSnapshots(): SnapshotExchange {
    const { events, settings, observer } = this.#init;
    return new SnapshotExchange({
      ...this.#init,
      chunkBytes: settings.snapshotChunkBytes,
      driver: this.#driver,
      applier: this.#applier,
      state: () => this.#state,
      baseAt: (index) => this.#history.baseAt(index),
      onSwitch: (state, base) => this.#switchTo(state, base),
      onInstalled: () => events.onStateReplaced(),
      observe: observer.snapshot,
      onFatal: (error) => this.#fatal(error),
    });
  }

  #switchTo(state: ReplicaState, base: LogBase): void {
    this.#state = state;
    this.#history.reset(base);
    this.marks.clear();
    this.#cache.clear();
  }

  #fatal(error: unknown): void {
    if (this.#failed) return;
    this.#failed = true;
    this.#init.events.onFatal(error);
  }
}
