import type { MemberView } from '../../gossip/index.ts';
import type { Member, MemberChange, RaftView, Reply } from '../../raft/index.ts';
import { listedPeer, memberNamed, memberOf, peerIdOfMember } from '../../raft/index.ts';
import type { ClusterId, Clock, Logger, PeerId } from '../../shared/index.ts';
import { codeOf, pause, peerIdOf, QuorateError } from '../../shared/index.ts';
import type { Replica } from '../replica/index.ts';
import type { HandshakeWish, Identity } from './calls.ts';
import { decodeIdentity, encodeHandshake, encodePeer, methods } from './calls.ts';
import { searchMember } from './member-search.ts';
import { isSettled } from './settled.ts';

const handshakeTimeoutMs = 3_000;
const tryAgainMs = 100;
/** A member that answered within this time may well be alive: nobody gets its name. */
const aliveWithinMs = 3_000;

type Port = Pick<Replica, 'self' | 'isLeader' | 'configuration' | 'changeMembers'> & {
  readonly view: Pick<RaftView, 'role' | 'configuration' | 'commitIndex' | 'peers'>;
};

export interface AdmissionInit {
  readonly clusterId: ClusterId;
  readonly replica: Port;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly callAddress: (
    address: string,
    method: string,
    body: Uint8Array,
    timeoutMs: number,
  ) => Promise<Uint8Array>;
}

/** On the leader: lets nodes in, sees them off and notes their addresses. */
export class Admission {
  readonly #init: AdmissionInit;

  constructor(init: AdmissionInit) {
    this.#init = init;
  }

  /**
   * Resolves once the node that listens at this Raft address is a member, by a committed
   * configuration. Its identity comes from a handshake. Rejects with UNREACHABLE, CONFLICT,
   * NO_LEADER or UNKNOWN_OUTCOME.
   */
  async join(address: string, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#now() + timeoutMs;
    this.#requireLeader();
    let identity = await this.#handshake(address, { adopt: false, renew: false });
    if (this.#isRemoved(identity)) identity = await this.#renewed(identity, address, deadlineMs);
    if (identity.clusterId === null) identity = await this.#adopted(identity, address);
    this.#checkCluster(identity, address);
    await this.#admit(identity.member, deadlineMs);
  }

  /**
   * Resolves once no member has this Raft address, by a committed configuration.
   * Rejects with NOT_FOUND, CONFLICT, NO_LEADER or UNKNOWN_OUTCOME.
   */
  async leave(address: string, force: boolean, timeoutMs: number): Promise<void> {
    const deadlineMs = this.#now() + timeoutMs;
    this.#requireLeader();
    const member = await this.#memberAt(address, deadlineMs);
    const { nodeId: name, incarnation } = member;
    const change = { kind: 'remove', nodeId: name, incarnation, safely: !force } as const;
    await this.#change(change, deadlineMs);
    this.#init.logger.info({ member: name, address }, `Removed ${name} at ${address}`);
    void this.#tellRemoved(peerIdOfMember(member), address);
  }

  /** Removed nodes that still gossip never saw the entry that removed them: they hear of it now. */
  tellRemoved(gossipers: readonly MemberView[]): void {
    const { view } = this.#init.replica;
    const { removed } = view.configuration.configuration;
    if (view.role !== 'leader' || removed.length === 0 || !isSettled(view)) return;
    for (const { nodeId, incarnation, status, raftAddress } of gossipers) {
      const peer = peerIdOf(nodeId, incarnation);
      if (status === 'alive' && removed.includes(peer)) void this.#tellRemoved(peer, raftAddress);
    }
  }

  /** A member says where it is now. */
  async update(member: Member, timeoutMs: number): Promise<void> {
    this.#requireLeader();
    const known = memberNamed(this.#configuration, member.nodeId);
    if (known?.incarnation !== member.incarnation) {
      throw new QuorateError('CONFLICT', `Cannot update ${member.nodeId}: it is no member`);
    }
    const next = { ...member, role: known.role };
    if (isSamePlace(known, next)) return;
    await this.#change({ kind: 'update', member: next }, this.#now() + timeoutMs);
    const { nodeId, raftAddress: raft, httpAddress: http, gossipAddress: gossip } = member;
    this.#init.logger.info(
      { member: nodeId, raft, http, gossip },
      `${nodeId} is elsewhere now: http ${http}, raft ${raft}, gossip ${gossip}`,
    );
  }

  async #admit(member: Member, deadlineMs: number): Promise<void> {
    const known = await this.#knownAs(member, deadlineMs);
    if (known !== undefined) {
      const next = { ...member, role: known.role };
      if (!isSamePlace(known, next))
        await this.#change({ kind: 'update', member: next }, deadlineMs);
      return;
    }
    const role = member.role === 'observer' ? 'observer' : 'learner';
    try {
      await this.#change({ kind: 'add', member: { ...member, role } }, deadlineMs);
    } catch (error) {
      // It asked at the same time as somebody asked for it, and was let in meanwhile. Only a refusal
      // tells that: after any other failure it may be this very change that lists it.
      if (codeOf(error) !== 'CONFLICT' || !(await this.#knownAs(member, deadlineMs))) throw error;
      return;
    }
    const { nodeId, raftAddress: raft } = member;
    // The line with the new members is told on every node.
    this.#init.logger.debug(
      { member: nodeId, raft, role },
      `Admitted ${nodeId} at ${raft} as ${role}`,
    );
  }

  async #memberAt(address: string, deadlineMs: number): Promise<Member> {
    const member = await searchMember(this.#init, {
      find: ({ members }) => members.find(({ raftAddress }) => raftAddress === address),
      isAnswer: (found) => found === undefined,
      deadlineMs,
    });
    if (member !== undefined) return member;
    throw new QuorateError('NOT_FOUND', `Cannot remove ${address}: no member has this address`);
  }

  #knownAs(member: Member, deadlineMs: number): Promise<Member | undefined> {
    return searchMember(this.#init, {
      find: (configuration) => memberOf(configuration, peerIdOfMember(member)),
      isAnswer: (found) => found !== undefined,
      deadlineMs,
    });
  }

  async #handshake(address: string, wish: HandshakeWish): Promise<Identity> {
    const { clusterId } = this.#init;
    const body = encodeHandshake({ clusterId, ...wish, host: this.#host });
    try {
      const { callAddress } = this.#init;
      return decodeIdentity(
        await callAddress(address, methods.handshake, body, handshakeTimeoutMs),
      );
    } catch (cause) {
      const said = cause instanceof Error ? cause.message : String(cause);
      const found = said.replace(/^Cannot call \S+ as asked: /, '');
      throw new QuorateError('UNREACHABLE', `Cannot reach a node at ${address}: ${found}`, {
        cause,
      });
    }
  }

  /** By a configuration that stays: while its vote may be needed, nobody is to be wiped. */
  #isRemoved({ member }: Identity): boolean {
    const { view } = this.#init.replica;
    const { removed } = view.configuration.configuration;
    if (!removed.includes(peerIdOfMember(member))) return false;
    if (isSettled(view)) return true;
    throw new QuorateError('OVERLOADED', 'Cannot admit a node: a change of members is under way');
  }

  /** A blank node belongs to the cluster from here on; not before it is clear that its name is free. */
  #adopted({ member }: Identity, address: string): Promise<Identity> {
    this.#checkNameIsFree(member);
    return this.#handshake(address, { adopt: true, renew: false });
  }

  /** A removed incarnation starts afresh: resolves with the identity of the one that follows it. */
  async #renewed(removed: Identity, address: string, deadlineMs: number): Promise<Identity> {
    // It may have been down when it was removed.
    await this.#tellRemoved(peerIdOfMember(removed.member), address);
    for (;;) {
      const isLate = this.#now() > deadlineMs;
      try {
        const identity = await this.#handshake(address, { adopt: false, renew: true });
        if (isLate || !this.#isRemoved(identity)) return identity;
      } catch (error) {
        if (isLate) throw error;
      }
      await this.#pause();
    }
  }

  /** This node: the one at home. */
  get #host(): Member {
    const host = listedPeer(this.#configuration, this.#init.replica.self);
    if (host !== undefined) return host;
    throw new QuorateError('NOT_LEADER', 'Cannot admit a node: this one is no member');
  }

  #checkCluster({ clusterId, member }: Identity, address: string): void {
    if (clusterId === this.#init.clusterId) return;
    throw new QuorateError(
      'CONFLICT',
      `Cannot admit ${member.nodeId} at ${address}: its data belong to another cluster`,
    );
  }

  /** The name may pass to a new incarnation only when the old one is silent. */
  #checkNameIsFree({ nodeId, incarnation }: Member): void {
    const known = memberNamed(this.#configuration, nodeId);
    if (known === undefined || known.incarnation === incarnation) return;
    const peer = peerIdOfMember(known);
    if (peer !== this.#init.replica.self && !this.#isAlive(peer)) return;
    throw new QuorateError(
      'CONFLICT',
      `Cannot admit another ${known.nodeId}: the one at ${known.raftAddress} is alive`,
    );
  }

  #isAlive(peer: PeerId): boolean {
    const { view, self } = this.#init.replica;
    if (peer === self) return true;
    const silentMs = view.peers.find((one) => one.peer === peer)?.silentMs ?? Infinity;
    return silentMs < aliveWithinMs;
  }

  /** Tries until the change is committed, refused for good, or the time is up. */
  async #change(change: MemberChange, deadlineMs: number): Promise<void> {
    for (;;) {
      // Each time: while it waits for another change, a live node may take the name.
      if (change.kind === 'add') this.#checkNameIsFree(change.member);
      const reply = await this.#inTime(this.#init.replica.changeMembers(change), deadlineMs);
      if (reply.kind === 'appended') return;
      this.#judgeRefusal(reply, deadlineMs);
      await this.#pause();
    }
  }

  /** Without a quorum an appended change has no outcome for as long as that lasts. */
  #inTime(change: Promise<Reply>, deadlineMs: number): Promise<Reply> {
    return new Promise((resolve, reject) => {
      const cancel = this.#init.clock.after(Math.max(0, deadlineMs - this.#now()), () =>
        reject(new QuorateError('UNKNOWN_OUTCOME', 'Cannot tell whether members changed')),
      );
      change.then(resolve, reject).finally(cancel);
    });
  }

  #judgeRefusal(reply: Reply, deadlineMs: number): void {
    const reason = reply.kind === 'refused' ? reply.reason : 'abandoned';
    const message = reply.kind === 'refused' ? reply.message : '';
    if (reason === 'invalid') throw new QuorateError('CONFLICT', message);
    if (reason === 'unreachable') {
      throw new QuorateError('CONFLICT', `${message}; force=1 removes it all the same`);
    }
    if (reason === 'notLeader') throw new QuorateError('NOT_LEADER', message);
    if (reason === 'abandoned') throw new QuorateError('UNKNOWN_OUTCOME', message);
    if (this.#now() > deadlineMs)
      throw new QuorateError('NO_LEADER', `Cannot change members: ${message}`);
  }

  /** Best effort: a removed node that hears of it says so, and can be let in as a new one. */
  async #tellRemoved(peer: PeerId, address: string): Promise<void> {
    const { callAddress, logger } = this.#init;
    try {
      await callAddress(address, methods.removed, encodePeer(peer), handshakeTimeoutMs);
    } catch (error) {
      logger.debug({ address, error }, 'A removed member did not hear of it');
    }
  }

  #pause(): Promise<void> {
    return pause(this.#init.clock, tryAgainMs);
  }

  #requireLeader(): void {
    if (this.#init.replica.isLeader) return;
    throw new QuorateError('NOT_LEADER', 'Cannot change members: this node does not lead');
  }

  get #configuration() {
    return this.#init.replica.configuration;
  }

  #now(): number {
    return this.#init.clock.monotonicMs();
  }
}

export const isSamePlace = (a: Member, b: Member): boolean =>
  a.raftAddress === b.raftAddress &&
  a.httpAddress === b.httpAddress &&
  a.gossipAddress === b.gossipAddress &&
  a.zone === b.zone;
