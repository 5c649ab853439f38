import type { Config } from '../config/index.ts';
import type { Configuration, Member } from '../raft/index.ts';
import { bootstrapConfiguration, emptyConfiguration } from '../raft/index.ts';
import type { ScriptRunner } from '../runner/index.ts';
import type { ClusterId, Incarnation, Logger, PeerId } from '../shared/index.ts';
import { asClusterId, asIncarnation, asNodeId, peerIdOf, QuorateError } from '../shared/index.ts';
import type { SegmentedLog } from '../storage/index.ts';
import type { Metrics } from '../telemetry/index.ts';
import type { GossipSockets, PeerTransport } from '../transport/index.ts';
import { ClusterMember } from './cluster-member.ts';
import { decodeHandshake, decodePeer, encodeIdentity, methods } from './cluster/calls.ts';
import type { DataDirectory } from './cluster/data-directory.ts';
import { fencedBy } from './cluster/fence.ts';
import { askHttp, requestJoin } from './cluster/http-questions.ts';
import { decodeAnswer, encodeAnswer, encodeWho, isWho, Joining } from './cluster/joining.ts';
import type { ReplicaSettings } from './replica/index.ts';
import type { Surroundings } from './surroundings.ts';
import type { Script } from './watching/index.ts';

const askGossipTimeoutMs = 2_000;

export interface SessionInit {
  readonly config: Config;
  readonly surroundings: Surroundings;
  readonly logger: Logger;
  readonly metrics: Metrics;
  readonly directory: DataDirectory;
  readonly replicaSettings: ReplicaSettings;
  readonly runner: ScriptRunner | null;
  readonly verification: Script | null;
  readonly notification: Script | null;
  readonly onFatal: (error: unknown) => void;
  /** An operator lets this removed node in again: end this session, wipe, start another. */
  readonly onRenew: () => void;
}

/** What lies in the data directory. */
interface Found {
  readonly log: SegmentedLog | null;
  readonly rejoining: readonly string[] | null;
}

/**
 * One life of a node under one incarnation: from sockets without a cluster to a member. Blank nodes
 * get their cluster by bootstrapping it or from the handshake of a leader.
 */
export class Session {
  readonly #init: SessionInit;
  readonly #transport: PeerTransport;
  readonly #sockets: GossipSockets;
  readonly #joining: Joining;
  readonly #incarnation: Incarnation;
  readonly #log: SegmentedLog | null;
  /** Not null: was in a cluster before and is to be let in again, maybe by these HTTP addresses. */
  readonly #rejoining: readonly string[] | null;
  #host: Member | null = null;
  #forming: Promise<ClusterMember> | null = null;
  #clusterId: ClusterId | null;
  #member: ClusterMember | null = null;
  #stopped = false;

  private constructor(init: SessionInit, { log, rejoining }: Found) {
    this.#init = init;
    this.#log = log;
    this.#rejoining = rejoining;
    const identity = log?.recovered.identity;
    this.#clusterId = identity?.clusterId ?? null;
    this.#incarnation = identity?.incarnation ?? asIncarnation(init.surroundings.random.hex(8));
    this.#transport = this.#makeTransport();
    this.#sockets = this.#makeSockets();
    this.#joining = this.#makeJoining();
  }

  /** Opens what is on the disk and begins to listen. Goes on in the background. */
  static async start(init: SessionInit): Promise<Session> {
    const log = await init.directory.openLog();
    checkNode(log, init.config.node);
    const rejoining = log === null ? await init.directory.rejoining() : null;
    const session = new Session(init, { log, rejoining });
    await session.#listen();
    session.#begin();
    return session;
  }

  /** null as long as this node belongs to no cluster. */
  get member(): ClusterMember | null {
    return this.#member;
  }

  /** Who the members are as far as this node knows, from its disk while its state is being loaded. */
  get configuration(): Configuration {
    if (this.#member !== null) return this.#member.replica.configuration;
    const recovered = this.#log?.recovered;
    const newest = recovered?.configurations.at(-1) ?? recovered?.base.configuration;
    return newest?.configuration ?? emptyConfiguration;
  }

  /** Ends everything in the order in which others notice least; after what clients wait for. */
  async stop(requestsEnd: Promise<void> = Promise.resolve()): Promise<void> {
    this.#stopped = true;
    this.#joining.stop();
    // A state that does not load is told where it is awaited.
    const member = await (this.#forming?.catch(() => null) ?? this.#member);
    await member?.stop(requestsEnd);
    if (member === null) await this.#log?.close();
    await this.#transport.stop();
    await this.#sockets.stop();
  }

  /**
   * No member, or one that knows of its removal: only such a node is wiped when a leader asks. One
   * that still loads its state knows nothing yet.
   */
  get #isOut(): boolean {
    return this.#member !== null && (!this.#member.isMember || this.#member.isRemoved);
  }

  get #self(): Member {
    const { config } = this.#init;
    return {
      nodeId: asNodeId(config.node),
      incarnation: this.#incarnation,
      role: config.observer ? 'observer' : 'learner',
      zone: config.zone,
      raftAddress: config.advertiseRaft,
      httpAddress: config.advertiseHttp,
      gossipAddress: config.advertiseGossip,
    };
  }

  async #listen(): Promise<void> {
    await this.#transport.start({
      onMessages: (messages) => this.#member?.replica.receive(messages),
      onCall: (from, method, body) => this.#onCall(from, method, body),
      onSnapshot: (from, offer) => {
        if (this.#member === null)
          throw new QuorateError('NO_LEADER', 'Cannot take a snapshot yet');
        return this.#member.replica.onSnapshot(from, offer);
      },
      onOutdated: (by) => this.#init.onFatal(fencedBy(this.#init.directory.path, by)),
    });
    try {
      await this.#sockets.start();
    } catch (error) {
      await this.#transport.stop();
      throw error;
    }
  }

  #begin(): void {
    const begin = this.#log === null ? this.#form() : this.#resume(this.#log);
    begin.catch((error: unknown) => this.#init.onFatal(error));
  }

  async #resume(log: SegmentedLog): Promise<void> {
    this.#forming = this.#become(log);
    const member = await this.#forming;
    if (member.replica.configuration.members.length === 0) await this.#join();
  }

  /** With empty data: create a cluster, unless an address has one; else ask to be let in. */
  async #form(): Promise<void> {
    const { config, logger } = this.#init;
    const mayBootstrap = config.bootstrap && this.#rejoining === null;
    const mustCreate = mayBootstrap && !(await this.#joining.findsCluster()) && !this.#stopped;
    // A leader may have called meanwhile; that it finishes what it began is not certain.
    if (mustCreate && this.#forming === null) {
      await this.#bootstrap();
      return;
    }
    if (!this.#joining.hasAddresses) {
      const found = 'No cluster and no address to join';
      logger.warn({}, `${found}: waiting for /join on a member; --bootstrap would create one`);
    }
    await this.#join();
  }

  async #bootstrap(): Promise<void> {
    const clusterId = asClusterId(this.#init.surroundings.random.hex(16));
    this.#init.logger.info({ clusterId }, 'Creating a cluster: there is none yet');
    await this.#adopt(clusterId, bootstrapConfiguration(this.#self));
  }

  #join(): Promise<void> {
    return this.#joining.join(() => this.#stopped || this.#member?.isMember === true);
  }

  /** Makes the log of a blank node, once, and becomes a node of that cluster. */
  #adopt(clusterId: ClusterId, configuration?: Configuration): Promise<ClusterMember> {
    if (this.#forming === null) {
      this.#forming = this.#createLog(clusterId, configuration).then((log) => this.#become(log));
      // The leader who caused it hears of a failure too, but it is this node that must stop.
      this.#forming.catch((error: unknown) => this.#init.onFatal(error));
    }
    return this.#forming;
  }

  #createLog(clusterId: ClusterId, configuration?: Configuration): Promise<SegmentedLog> {
    const nodeId = asNodeId(this.#init.config.node);
    const identity = { clusterId, nodeId, incarnation: this.#incarnation };
    return this.#init.directory.createLog(identity, configuration);
  }

  async #become(log: SegmentedLog): Promise<ClusterMember> {
    const { surroundings, directory, config } = this.#init;
    const { clusterId } = log.recovered.identity;
    if (this.#log === null) this.#transport.setIdentity(clusterId);
    this.#clusterId = clusterId;
    const epoch = await directory.nextEpoch(surroundings.clock.wallMs());
    const member = await ClusterMember.open({
      ...this.#init,
      dataDirectory: directory.path,
      log,
      transport: this.#transport,
      sockets: this.#sockets,
      self: this.#self,
      epoch,
      host: this.#host,
      saveEpoch: (raised) => directory.saveEpoch(raised),
    });
    this.#member = member;
    if (!this.#stopped) member.start(config.gossipJoin);
    return member;
  }

  async #onCall(from: PeerId | null, method: string, body: Uint8Array): Promise<Uint8Array> {
    if (method === methods.handshake) return this.#onHandshake(body);
    if (this.#member === null) throw new QuorateError('NO_LEADER', 'Cannot answer: no cluster yet');
    if (from === null) throw new QuorateError('CONFLICT', 'Cannot answer a stranger');
    if (method === methods.removed) {
      if (decodePeer(body) === this.#member.replica.self) this.#member.onRemoved();
      return new Uint8Array();
    }
    return this.#member.calls.answer(method, body);
  }

  async #onHandshake(body: Uint8Array): Promise<Uint8Array> {
    const { clusterId, renew, adopt, host } = decodeHandshake(body);
    if (renew && this.#clusterId === clusterId && this.#isOut) {
      this.#init.onRenew();
      throw new QuorateError(
        'OVERLOADED',
        'Cannot answer yet: starting afresh as a new incarnation',
      );
    }
    this.#host = host;
    this.#member?.hostIs(host);
    if (adopt && this.#clusterId === null) await this.#adopt(clusterId);
    return encodeIdentity({ clusterId: this.#clusterId, member: this.#self });
  }

  #makeTransport(): PeerTransport {
    const { config, surroundings, logger } = this.#init;
    return surroundings.makeTransport({
      self: peerIdOf(asNodeId(config.node), this.#incarnation),
      clusterId: this.#clusterId,
      listen: config.raft,
      advertise: config.advertiseRaft,
      logger,
      clock: surroundings.clock,
      random: surroundings.random,
    });
  }

  #makeSockets(): GossipSockets {
    const { config, surroundings, logger } = this.#init;
    return surroundings.makeGossipSockets({
      listen: config.gossip,
      logger,
      onDatagram: (from, bytes) => this.#member?.gossip.datagram(from, bytes),
      onExchange: (from, bytes) => {
        if (!isWho(bytes)) return this.#member?.gossip.exchange(from, bytes) ?? null;
        return encodeAnswer({ clusterId: this.#clusterId, httpAddress: config.advertiseHttp });
      },
      onSendFailed: (to) => this.#member?.gossip.sendFailed(to),
    });
  }

  #makeJoining(): Joining {
    const { config, surroundings, logger } = this.#init;
    return new Joining({
      clock: surroundings.clock,
      logger,
      joinAddresses: [...new Set([...config.join, ...(this.#rejoining ?? [])])],
      gossipAddresses: config.gossipJoin,
      askHttp,
      askGossip: async (address) =>
        decodeAnswer(await this.#sockets.exchange(address, encodeWho(), askGossipTimeoutMs)),
      requestJoin: (httpAddress) => requestJoin(httpAddress, config.advertiseRaft),
    });
  }
}

function checkNode(log: SegmentedLog | null, node: string): void {
  const found = log?.recovered.identity.nodeId;
  if (found === undefined || found === node) return;
  throw new QuorateError(
    'CONFIG_INVALID',
    `Cannot start with --node: found ${node}, accepted with this data directory is ${found}`,
  );
}
