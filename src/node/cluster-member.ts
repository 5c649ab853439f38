import type { GossipEffect } from '../gossip/index.ts';
import type { ClientRequest } from '../http/index.ts';
import type { IndexedConfiguration, Member, RaftRole } from '../raft/index.ts';
import { listedPeer } from '../raft/index.ts';
import type { DecisionSettings, Revision } from '../shared/index.ts';
import type { Operation } from '../store/index.ts';
import type { ClusterMemberInit } from './cluster-member-init.ts';
import { ClusterNews } from './cluster-news.ts';
import { Admission } from './cluster/admission.ts';
import { ConditionWatch } from './cluster/condition-watch.ts';
import { LeaderCalls } from './cluster/leader-calls.ts';
import { settingsFrom } from './cluster/own-settings.ts';
import { peerAddresses } from './cluster/peer-addresses.ts';
import { Upkeep } from './cluster/upkeep.ts';
import { commandOf } from './command.ts';
import { Farewell } from './farewell.ts';
import { gossipCoreOf } from './gossip-core-of.ts';
import { GossipDriver } from './gossip-driver.ts';
import { GossipPresence } from './gossip-presence.ts';
import { measureReplica } from './measure.ts';
import type { Applied } from './replica/index.ts';
import { Replica } from './replica/index.ts';
import { Watching } from './watching/index.ts';

const commitTimeoutMs = 5_000;

/** A node that has an identity in a cluster: its replica, its gossip and its watching, wired. */
export class ClusterMember {
  readonly #init: ClusterMemberInit;
  readonly #upkeep: Upkeep;
  readonly #ownSettings: DecisionSettings;
  readonly #news: ClusterNews;
  readonly replica: Replica;
  readonly gossip: GossipDriver;
  readonly presence: GossipPresence;
  readonly watching: Watching;
  readonly calls: LeaderCalls;
  readonly condition: ConditionWatch;
  readonly #admission: Admission;
  #wasMember = false;
  #lastLeader: string | null = null;
  #isRemoved = false;
  /** Who let this node in, or asked to, last. */
  #host: Member | null;

  private constructor(init: ClusterMemberInit, replica: Replica) {
    this.#init = init;
    this.#ownSettings = settingsFrom(init.config);
    this.#host = init.host;
    this.#news = new ClusterNews(init.logger, init.self);
    this.replica = replica;
    this.gossip = this.#makeGossip();
    this.presence = new GossipPresence(this.gossip);
    this.#admission = this.#makeAdmission();
    this.condition = this.#makeCondition();
    this.calls = this.#makeCalls();
    this.watching = this.#makeWatching();
    this.#upkeep = this.#makeUpkeep();
  }

  static async open(init: ClusterMemberInit): Promise<ClusterMember> {
    const { surroundings, logger, dataDirectory, log, transport, replicaSettings, onFatal } = init;
    let member: ClusterMember | null = null;
    const replica = await Replica.open({
      files: surroundings.files,
      kvFactory: surroundings.kvFactory,
      clock: surroundings.clock,
      random: surroundings.random,
      logger,
      transport,
      dataDirectory,
      log,
      settings: replicaSettings,
      observer: measureReplica(init.metrics),
      events: {
        onNotices: (notices) => member?.watching.onNotices(notices),
        onRoleChange: (change) => member?.onRoleChange(change),
        onConfiguration: (configuration) => member?.onConfiguration(configuration),
        onStateReplaced: () => member?.watching.onStateReplaced(),
        onFatal,
      },
    });
    member = new ClusterMember(init, replica);
    return member;
  }

  /** In the configuration in force, in whatever role, and be it on its way out. */
  get isMember(): boolean {
    return listedPeer(this.replica.configuration, this.replica.self) !== undefined;
  }

  /**
   * Was told, or sees in the configuration, that it was removed. Its own configuration may list it
   * all the same: nobody replicates to a removed node.
   */
  get isRemoved(): boolean {
    return this.#isRemoved;
  }

  /** Caught up once with a leader of this time. */
  get isLive(): boolean {
    return this.#upkeep.isLive;
  }

  get leader(): Member | null {
    const { leader } = this.replica.view;
    if (leader === null) return null;
    return listedPeer(this.replica.configuration, leader) ?? null;
  }

  settings(): DecisionSettings {
    return this.replica.state.machine.settings ?? this.#ownSettings;
  }

  start(seeds: readonly string[]): void {
    this.replica.start();
    this.gossip.start(seeds);
    this.watching.start();
    this.#upkeep.start();
    this.condition.start();
  }

  /** Ends after what clients wait for, see Farewell. */
  async stop(requestsEnd: Promise<void>): Promise<void> {
    this.#upkeep.stop();
    this.condition.stop();
    this.calls.stop();
    this.watching.stop();
    const { replica, gossip, watching } = this;
    const { surroundings, logger } = this.#init;
    const { clock } = surroundings;
    const notifyTimeoutMs = (): number => this.settings().notifyTimeoutMs;
    const farewell = new Farewell({ clock, logger, replica, gossip, watching, notifyTimeoutMs });
    await farewell.say(requestsEnd);
  }

  /** Commits one operation of the health ledger. */
  commit(operation: Operation): Promise<Applied> {
    return this.runOperations([operation], commitTimeoutMs);
  }

  runOperations(
    then: readonly Operation[],
    timeoutMs: number,
    client?: ClientRequest,
  ): Promise<Applied> {
    return this.replica.run(commandOf(then, client), timeoutMs);
  }

  /** The leader called: without a configuration this node answers it there. */
  hostIs(host: Member): void {
    this.#host = host;
    this.#setPeers();
  }

  /** The leader says that this incarnation was removed. */
  onRemoved(): void {
    if (this.#isRemoved) return;
    this.#isRemoved = true;
    this.#init.logger.warn(
      {},
      'This node was removed from the cluster; /join makes it a member again',
    );
    this.gossip.leave();
  }

  onRoleChange(change: { role: RaftRole; leader: string | null; term: number }): void {
    const { role, leader, term } = change;
    if (leader === this.#lastLeader) return;
    if (leader !== null) this.#init.metrics.raftLeaderChanges.inc();
    this.#lastLeader = leader;
    this.#setPeers();
    this.#news.leader(role, leader, term);
  }

  onConfiguration({ configuration, index }: IndexedConfiguration): void {
    const { isMember } = this;
    this.#news.configuration({ configuration, index });
    if (isMember && !this.#wasMember && this.#isRemoved) this.gossip.rejoin();
    if (isMember) this.#isRemoved = false;
    else if (this.#wasMember) this.onRemoved();
    this.#wasMember = isMember;
    this.#setPeers();
    this.gossip.join(
      configuration.members
        .map((member) => member.gossipAddress)
        .filter((address) => address !== this.#init.self.gossipAddress),
    );
  }

  #makeGossip(): GossipDriver {
    const { surroundings, logger, metrics, sockets } = this.#init;
    const core = gossipCoreOf(this.#init);
    const onEffect = (effect: GossipEffect): void => this.#onGossip(effect);
    const onPacket = (result: string): void => metrics.gossipPackets.inc(result);
    const { clock } = surroundings;
    return new GossipDriver({ core, sockets, clock, logger, onPacket, onEffect });
  }

  #makeWatching(): Watching {
    const { config, surroundings, logger, metrics, runner, verification, notification } =
      this.#init;
    return new Watching({
      config,
      node: this.#init.self.nodeId,
      clock: surroundings.clock,
      logger,
      metrics,
      replica: this.replica,
      gossip: this.gossip,
      runner,
      verification,
      notification,
      settings: () => this.settings(),
      commit: (operation) => this.commit(operation),
      askHolder: (holder, eventId) => this.calls.askHolder(holder, eventId),
    });
  }

  #makeAdmission(): Admission {
    const { surroundings, logger, log, transport } = this.#init;
    return new Admission({
      clusterId: log.recovered.identity.clusterId,
      replica: this.replica,
      clock: surroundings.clock,
      logger,
      callAddress: (address, method, body, timeoutMs) =>
        transport.callAddress(address, method, body, timeoutMs),
    });
  }

  #makeCalls(): LeaderCalls {
    const { surroundings, transport } = this.#init;
    const { replica } = this;
    const isNotifying = (eventId: Revision): boolean => this.watching.isNotifying(eventId);
    const explain = (keys: readonly string[]) => this.watching.explain(keys);
    const { clock } = surroundings;
    const parts = { admission: this.#admission, book: this.condition.book, isNotifying, explain };
    return new LeaderCalls({ clock, transport, replica, ...parts });
  }

  #makeCondition(): ConditionWatch {
    const { surroundings, metrics, replicaSettings, log } = this.#init;
    return new ConditionWatch({
      ...this.#init,
      clock: surroundings.clock,
      files: surroundings.files,
      segmentBytes: replicaSettings.log.segmentBytes,
      logUsage: () => log.usage(),
      prepareSpares: () => log.prepareSpares(),
      onRoom: (room) => this.replica.onRoom(room),
      replica: this.replica,
      onMismatch: () => metrics.stateMismatches.inc(),
      report: (condition) => this.calls.report(condition),
      commit: (operation) => this.commit(operation),
    });
  }

  #makeUpkeep(): Upkeep {
    const { config, surroundings, logger, self } = this.#init;
    return new Upkeep({
      config,
      clock: surroundings.clock,
      logger,
      replica: this.replica,
      self,
      commit: (operation) => this.commit(operation),
      update: (member) => this.calls.update(member),
      tellRemoved: () => this.#admission.tellRemoved(this.gossip.members()),
      onLive: () => this.#onLive(),
    });
  }

  #onLive(): void {
    this.watching.goLive();
    this.#news.ready(this.#init.self.httpAddress);
  }

  #onGossip(effect: GossipEffect): void {
    const { logger, saveEpoch, onFatal } = this.#init;
    this.watching.onGossip(effect);
    if (effect.kind === 'member') {
      this.#news.gossip(effect.member);
      this.#setPeers();
    } else if (effect.kind === 'joined') this.presence.onAnswer(effect.seed);
    else if (effect.kind === 'epochRaised') saveEpoch(effect.epoch).catch(onFatal);
    else if (effect.kind === 'conflict') {
      logger.error(
        { other: effect.other.address },
        `Another process at ${effect.other.address} goes by the name of this node: stop one of them`,
      );
      this.#admission.tellRemoved([effect.other]);
    }
  }

  #setPeers(): void {
    const { transport } = this.#init;
    const { self, configuration, view } = this.replica;
    const known = { self, host: this.#host, leader: view.leader };
    transport.setPeers(peerAddresses(configuration, this.gossip.members(), known));
  }
}
