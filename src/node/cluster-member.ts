import type { Config } from '../config/index.ts';
import { GossipCore, gossipSettingsFor } from '../gossip/index.ts';
import type { GossipEffect } from '../gossip/index.ts';
import type { IndexedConfiguration, Member, RaftRole } from '../raft/index.ts';
import { memberNamed, memberOf, peerIdOfMember } from '../raft/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import type { Cancel, DecisionSettings, Logger, NodeId, Revision } from '../shared/index.ts';
import { asRevision, QuorateError } from '../shared/index.ts';
import type { SegmentedLog } from '../storage/index.ts';
import type { Operation } from '../store/index.ts';
import { defaultKeyspace } from '../store/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { GossipSockets, PeerTransport } from '../transport/index.ts';
import { Admission, isSamePlace } from './cluster/admission.ts';
import { decodeAddressRequest, decodeMember, decodeNumber } from './cluster/calls.ts';
import { encodeAddressRequest, encodeMember, encodeNumber, methods } from './cluster/calls.ts';
import { explicitDifferences, settingsFrom } from './cluster/own-settings.ts';
import { peerAddresses } from './cluster/peer-addresses.ts';
import { decodeProgress, encodeProgress } from './cluster/progress.ts';
import type { MemberProgress } from './cluster/progress.ts';
import { GossipDriver } from './gossip-driver.ts';
import type { Applied, ReplicaSettings } from './replica/index.ts';
import { Replica } from './replica/index.ts';
import type { Surroundings } from './surroundings.ts';
import type { Script } from './watching/index.ts';
import { Watching } from './watching/index.ts';

const commitTimeoutMs = 5_000;
const askTimeoutMs = 1_000;
const retryMs = 200;
const housekeepingMs = 1_000;
const transferTimeoutMs = 2_000;

export interface ClusterMemberInit {
  readonly config: Config;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly dataDirectory: string;
  readonly log: SegmentedLog;
  readonly replicaSettings: ReplicaSettings;
  readonly transport: PeerTransport;
  readonly sockets: GossipSockets;
  /** This node as it would have itself listed. */
  readonly self: Member;
  readonly epoch: number;
  /** Who let this node in, when that was in this session. */
  readonly host: Member | null;
  readonly saveEpoch: (epoch: number) => Promise<void>;
  readonly runner: ScriptRunner | null;
  readonly verification: Script | null;
  readonly notification: Script | null;
  readonly onFatal: (error: unknown) => void;
}

/** A node that has an identity in a cluster: its replica, its gossip and its watching, wired. */
export class ClusterMember {
  readonly #init: ClusterMemberInit;
  readonly #admission: Admission;
  readonly replica: Replica;
  readonly gossip: GossipDriver;
  readonly watching: Watching;
  #cancelHousekeeping: Cancel = () => undefined;
  #stopped = false;
  #isLive = false;
  #checkedSettings = false;
  #wasMember = false;
  #leftGossipByHand = false;
  #isRemoved = false;

  private constructor(init: ClusterMemberInit, replica: Replica) {
    this.#init = init;
    this.replica = replica;
    this.gossip = this.#makeGossip();
    this.watching = this.#makeWatching();
    this.#admission = this.#makeAdmission();
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

  /** In the configuration in force, in whatever role. */
  get isMember(): boolean {
    return memberOf(this.replica.configuration, this.replica.self) !== undefined;
  }

  /** Was told, or sees in the configuration, that it was removed. */
  get isRemoved(): boolean {
    return this.#isRemoved && !this.isMember;
  }

  /** Caught up once with a leader of this time. */
  get isLive(): boolean {
    return this.#isLive;
  }

  get leader(): Member | null {
    const { leader } = this.replica.view;
    if (leader === null) return null;
    return memberOf(this.replica.configuration, leader) ?? null;
  }

  settings(): DecisionSettings {
    return this.replica.state.machine.settings ?? settingsFrom(this.#init.config);
  }

  start(seeds: readonly string[]): void {
    this.replica.start();
    this.gossip.start(seeds);
    this.watching.start();
    this.#housekeeping();
    void this.#goLive();
  }

  /** Hands over what can be handed over; a running notification ends first. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#cancelHousekeeping();
    this.watching.stop();
    await this.#handOver();
    await this.#notificationsEnd();
    this.gossip.leave();
    await this.#sleep(this.replica.configuration.members.length > 1 ? 300 : 0);
    this.gossip.stop();
    await this.replica.stop();
  }

  /** Commits one operation of the health ledger. */
  commit(operation: Operation): Promise<Applied> {
    return this.runOperations([operation], commitTimeoutMs);
  }

  runOperations(then: readonly Operation[], timeoutMs: number): Promise<Applied> {
    const envelope = {
      minVersion: 1,
      keyspace: defaultKeyspace,
      principal: '',
      session: '',
      sequence: 0,
      compare: [],
      then,
      else: [],
    };
    return this.replica.run(envelope, timeoutMs);
  }

  /** Makes the node at this address a member, through whoever leads. */
  async join(address: string, timeoutMs: number): Promise<void> {
    const body = encodeAddressRequest({ address, force: false, timeoutMs });
    await this.#toLeader({ method: methods.join, body, timeoutMs });
  }

  async leave(address: string, force: boolean, timeoutMs: number): Promise<void> {
    const body = encodeAddressRequest({ address, force, timeoutMs });
    await this.#toLeader({ method: methods.leave, body, timeoutMs });
  }

  /** What the leader knows of the members; null when it does not answer. */
  async progress(): Promise<readonly MemberProgress[] | null> {
    try {
      const timeoutMs = askTimeoutMs;
      return decodeProgress(
        await this.#toLeader({ method: methods.progress, body: encodeNumber(0), timeoutMs }),
      );
    } catch {
      return null;
    }
  }

  gossipLeave(): void {
    this.#leftGossipByHand = true;
    this.gossip.leave();
  }

  gossipJoin(addresses: readonly string[]): void {
    this.#leftGossipByHand = false;
    this.gossip.rejoin();
    this.gossip.join(addresses);
  }

  /** A live member has this gossip address. */
  answersGossip(address: string): boolean {
    return this.gossip.members().some((one) => one.address === address && one.status === 'alive');
  }

  get abstainsByHand(): boolean {
    return this.#leftGossipByHand;
  }

  async onCall(method: string, body: Uint8Array): Promise<Uint8Array> {
    switch (method) {
      case methods.propose:
        return this.replica.onPropose(body);
      case methods.join: {
        const { address, timeoutMs } = decodeAddressRequest(body);
        await this.#admission.join(address, timeoutMs);
        return new Uint8Array();
      }
      case methods.leave: {
        const { address, force, timeoutMs } = decodeAddressRequest(body);
        await this.#admission.leave(address, force, timeoutMs);
        return new Uint8Array();
      }
      case methods.update:
        await this.#admission.update(decodeMember(body), commitTimeoutMs);
        return new Uint8Array();
      case methods.isNotifying: {
        const running = this.watching.isNotifying(asRevision(decodeNumber(body)));
        return encodeNumber(running ? 1 : 0);
      }
      case methods.progress:
        return this.#progress();
      default:
        throw new QuorateError(
          'PARAM_INVALID',
          `Cannot answer a call of ${JSON.stringify(method)}`,
        );
    }
  }

  /** The leader says that this incarnation was removed. */
  onRemoved(): void {
    this.#isRemoved = true;
    this.#init.logger.warn(
      {},
      'This node was removed from the cluster; /join makes it a member again',
    );
    this.gossip.leave();
  }

  onRoleChange(change: { role: RaftRole; leader: string | null; term: number }): void {
    const { logger, metrics } = this.#init;
    const { role, leader, term } = change;
    metrics.raftLeaderChanges.inc();
    logger.info({ role, leader, term }, leader === null ? 'No leader' : `Leader is ${leader}`);
  }

  onConfiguration({ configuration, index }: IndexedConfiguration): void {
    const isMember = memberOf(configuration, this.replica.self) !== undefined;
    const members = configuration.members.map((member) => `${member.nodeId}(${member.role})`);
    this.#init.logger.info({ index, members }, 'Configuration');
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
    const { config, surroundings, logger, sockets, self, epoch, log } = this.#init;
    const core = new GossipCore({
      clusterId: log.recovered.identity.clusterId,
      self: {
        nodeId: self.nodeId,
        incarnation: log.recovered.identity.incarnation,
        epoch,
        address: self.gossipAddress,
        zone: self.zone,
        httpAddress: self.httpAddress,
        raftAddress: self.raftAddress,
      },
      settings: gossipSettingsFor(config.profile),
      random: surroundings.random,
    });
    const onEffect = (effect: GossipEffect): void => this.#onGossip(effect);
    return new GossipDriver({ core, sockets, clock: surroundings.clock, logger, onEffect });
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
      askHolder: (holder, eventId) => this.#askHolder(holder, eventId),
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

  #onGossip(effect: GossipEffect): void {
    const { logger, saveEpoch, onFatal } = this.#init;
    this.watching.onGossip(effect);
    if (effect.kind === 'member') {
      const { nodeId, status, address } = effect.member;
      logger.info({ nodeId, status, address }, 'Gossip member');
      this.#setPeers();
    } else if (effect.kind === 'epochRaised') saveEpoch(effect.epoch).catch(onFatal);
    else if (effect.kind === 'conflict') {
      logger.error(
        { other: effect.other.address },
        'Another process goes by the name of this node',
      );
    }
  }

  #setPeers(): void {
    const { transport, host } = this.#init;
    const { self } = this.replica;
    transport.setPeers(
      peerAddresses(this.replica.configuration, this.gossip.members(), { self, host }),
    );
  }

  async #askHolder(holder: NodeId, eventId: Revision): Promise<boolean | null> {
    const member = memberNamed(this.replica.configuration, holder);
    if (member === undefined) return null;
    try {
      const to = peerIdOfMember(member);
      const answer = await this.#init.transport.call(
        to,
        methods.isNotifying,
        encodeNumber(eventId),
        askTimeoutMs,
      );
      return decodeNumber(answer) === 1;
    } catch {
      return null;
    }
  }

  /** Retries what was surely not done until the time is up. */
  async #toLeader(call: {
    method: string;
    body: Uint8Array;
    timeoutMs: number;
  }): Promise<Uint8Array> {
    const { clock } = this.#init.surroundings;
    const deadlineMs = clock.monotonicMs() + call.timeoutMs;
    for (;;) {
      const leftMs = deadlineMs - clock.monotonicMs();
      try {
        return await this.#askLeader(call, Math.max(1, leftMs));
      } catch (error) {
        const code = error instanceof QuorateError ? error.code : null;
        const mayRetry = code === 'NO_LEADER' || code === 'NOT_LEADER' || code === 'OVERLOADED';
        if (!mayRetry) throw error;
        if (leftMs <= retryMs || this.#stopped) {
          throw new QuorateError('NO_LEADER', 'Cannot carry this out: no leader in time', {
            cause: error,
          });
        }
        await this.#sleep(retryMs);
      }
    }
  }

  #askLeader(call: { method: string; body: Uint8Array }, timeoutMs: number): Promise<Uint8Array> {
    const { leader } = this.replica.view;
    if (leader === this.replica.self) return this.onCall(call.method, call.body);
    if (leader === null) return Promise.reject(new QuorateError('NO_LEADER', 'no leader is known'));
    return this.#init.transport
      .call(leader, call.method, call.body, timeoutMs + askTimeoutMs)
      .catch((error: unknown) => {
        // The leader could not be reached: surely not done. Its own UNREACHABLE speaks of somebody else.
        const link = this.#init.transport.status().find((one) => one.peer === leader);
        const isLink =
          error instanceof QuorateError && error.code === 'UNREACHABLE' && link?.connected !== true;
        throw isLink ? new QuorateError('NO_LEADER', error.message, { cause: error }) : error;
      });
  }

  #progress(): Uint8Array {
    const { view } = this.replica;
    if (view.role !== 'leader') throw new QuorateError('NOT_LEADER', 'this node does not lead');
    const own = { peer: this.replica.self, matchIndex: view.lastIndex, silentMs: 0 };
    return encodeProgress([own, ...view.peers]);
  }

  /** After the first linearizable read, applied entries are news and not a replay. */
  async #goLive(): Promise<void> {
    while (!this.#stopped && !this.#isLive) {
      try {
        await this.replica.readBarrier(commitTimeoutMs);
        this.#isLive = true;
        this.watching.goLive();
      } catch {
        await this.#sleep(retryMs);
      }
    }
  }

  #housekeeping(): void {
    this.#cancelHousekeeping = this.#init.surroundings.clock.after(housekeepingMs, () => {
      void this.#keepHouse()
        .catch((error: unknown) => this.#init.logger.debug({ error }, 'Housekeeping goes on later'))
        .finally(() => {
          if (!this.#stopped) this.#housekeeping();
        });
    });
  }

  async #keepHouse(): Promise<void> {
    if (!this.#isLive || !this.isMember) return;
    await this.#keepSettings();
    await this.#keepAddresses();
  }

  /** The first start stores the settings; an explicitly different flag changes them for all. */
  async #keepSettings(): Promise<void> {
    const { config, logger } = this.#init;
    const stored = this.replica.state.machine.settings;
    if (stored === null) {
      if (this.replica.mayDecide)
        await this.commit({ kind: 'putSettings', settings: settingsFrom(config) });
      return;
    }
    if (this.#checkedSettings) return;
    const settings = explicitDifferences(config, stored);
    if (Object.keys(settings).length > 0) {
      await this.commit({ kind: 'putSettings', settings });
      logger.warn(
        { settings },
        'Changed decision settings for all nodes, as the flags of this one say',
      );
    }
    this.#checkedSettings = true;
  }

  async #keepAddresses(): Promise<void> {
    const { self } = this.#init;
    const listed = memberOf(this.replica.configuration, this.replica.self);
    if (listed === undefined || isSamePlace(listed, { ...self, role: listed.role })) return;
    const body = encodeMember({ ...self, role: listed.role });
    await this.#toLeader({ method: methods.update, body, timeoutMs: commitTimeoutMs });
  }

  async #handOver(): Promise<void> {
    if (!this.replica.isLeader || this.replica.configuration.members.length < 2) return;
    await Promise.race([this.replica.transfer(null), this.#sleep(transferTimeoutMs)]);
  }

  async #notificationsEnd(): Promise<void> {
    while (this.watching.notificationsRunning > 0) await this.#sleep(50);
  }

  #sleep(delayMs: number): Promise<void> {
    return new Promise((resolve) => this.#init.surroundings.clock.after(delayMs, resolve));
  }
}
