import type { MemberView } from '../../../src/gossip/index.ts';
import type { Configuration, Member, MemberChange, MemberRole } from '../../../src/raft/index.ts';
import { emptyConfiguration, memberOf, peerIdOfMember } from '../../../src/raft/index.ts';
import type { ClusterId, PeerId } from '../../../src/shared/index.ts';
import { asIndex, asClusterId, asIncarnation, asNodeId } from '../../../src/shared/index.ts';
import { decodeConfiguration } from '../../../src/wire/index.ts';
import type { Watched } from './checker.ts';
import { Checker } from './checker.ts';
import { CommittedLog } from './committed-log.ts';
import type { Counts, FaultCounts } from './counts.ts';
import { addFault, noCounts } from './counts.ts';
import { History } from './history.ts';
import { KeyHistory } from './key-history.ts';
import type { SentSnapshot } from './late-snapshot.ts';
import { giveSnapshot } from './late-snapshot.ts';
import type { Profile } from './profile.ts';
import { SimNetwork } from './sim-network.ts';
import type { Moment } from './sim-node.ts';
import { SimNode } from './sim-node.ts';
import type { World } from './world.ts';
import { anyOf, happens } from './world.ts';

/** A place for a node: its incarnations come and go. */
interface Slot {
  readonly number: number;
  readonly role: MemberRole;
  readonly address: string;
  node: SimNode;
  incarnations: number;
}

const stewardMs = 150;
const changeMsMax = 2_000;
/** How long somebody who was removed may stay about. */
const lingerMsMax = 15_000;
/** Within this, everybody has heard of a new incarnation. */
const gossipMsMax = 2_000;

/** Nodes, their network, and everybody who looks at them. */
export class SimCluster {
  readonly world: World;
  readonly profile: Profile;
  readonly network: SimNetwork;
  readonly counts: Counts = noCounts();
  readonly faults: FaultCounts = new Map();
  readonly checker: Checker;
  readonly history: History;
  readonly keyHistory = new KeyHistory();
  /** Told when something delicate goes on in a node. */
  onMoment: (node: SimNode, moment: Moment) => void = () => undefined;
  readonly #clusterId: ClusterId;
  readonly #slots: Slot[];
  readonly #touched = new Map<SimNode, Watched>();
  /** In force at the last committed index. */
  #configuration: Configuration;
  #isChanging = false;
  #newestSnapshot: SentSnapshot | null = null;
  /** Who was removed, and when its place is taken at the latest. */
  readonly #lingering = new Map<PeerId, number>();

  constructor(world: World, profile: Profile) {
    this.world = world;
    this.profile = profile;
    const log = new CommittedLog((entry) => {
      if (entry.kind === 'configuration') this.#onConfiguration(decodeConfiguration(entry.payload));
      this.history.onCommitted();
    });
    this.checker = new Checker(world, log);
    this.history = new History(world, log, this.counts);
    this.#clusterId = asClusterId(world.random.hex(16));
    const numbers = Array.from({ length: profile.nodeCount }, (_, i) => i + 1);
    this.network = new SimNetwork(world, numbers.map(addressOf), profile.network);
    this.network.memory.slowDialPerMille = profile.slowDialPerMille;
    this.#configuration = this.#firstConfiguration(numbers);
    this.checker.conduct.noteFounders(this.#configuration);
    this.#slots = numbers.map((number) => this.#makeSlot(number));
    world.afterEvent = () => this.#afterEvent();
  }

  get nodes(): readonly SimNode[] {
    return this.#slots.map(({ node }) => node);
  }

  get leader(): SimNode | undefined {
    const leaders = this.nodes.filter(({ replica }) => replica?.isLeader === true);
    return leaders.sort((a, b) => (b.replica?.view.term ?? 0) - (a.replica?.view.term ?? 0))[0];
  }

  /** Every node is a member in its final role, and no change is under way. */
  get isSettled(): boolean {
    const { members, outgoingVoters } = this.#configuration;
    const isComplete = this.#slots.every(({ node, role }) => {
      return memberOf(this.#configuration, node.self)?.role === role;
    });
    return isComplete && members.length === this.#slots.length && outgoingVoters.length === 0;
  }

  start(): void {
    for (const { node } of this.#slots) node.start();
    this.#steward();
  }

  /** A disk may be lost now: all the others have everything, and know it. */
  get mayLoseDisk(): boolean {
    const isSound = this.nodes.every(({ disk }) => !disk.isDamaged);
    return this.isSettled && isSound && this.profile.nodeCount >= 3;
  }

  /** A node comes back with an empty disk, as another incarnation. */
  replace(node: SimNode): void {
    const slot = this.#slots.find((one) => one.node === node);
    if (slot === undefined) return;
    this.world.note(`${node.name} gets an empty disk`);
    node.retire();
    slot.incarnations++;
    slot.node = this.#makeNode(slot, emptyConfiguration);
    slot.node.start();
    for (const other of this.nodes) {
      this.world.after(this.world.random.intBelow(gossipMsMax), () => other.meet());
    }
  }

  /**
   * Resolves when a node that takes itself for the leader has answered, or surely will not; with
   * whether it took the change.
   */
  async changeMembers(leader: SimNode, changes: readonly MemberChange[]): Promise<boolean> {
    const { life, replica } = leader;
    if (life === null || replica === null) return false;
    this.world.note(`operator asks ${leader.name} to ${changes.map(textOf).join(' and ')}`);
    const tooLate = new Promise<void>((resolve) => this.world.after(changeMsMax, resolve));
    const { index } = replica.view.configuration;
    const stale = asIndex(Math.max(0, index - 1));
    const expected = anyOf(this.world.random, [null, null, null, index, index, stale]) ?? null;
    const answer = replica.changeMembers(changes, expected);
    const reply = await Promise.race([answer, life.ended, tooLate]);
    const found = reply?.kind === 'refused' ? `${reply.reason} ${reply.message}` : reply?.kind;
    this.world.note(`operator got ${found ?? 'no answer'}`);
    return reply !== undefined && reply.kind !== 'refused';
  }

  anyNode(filter: (node: SimNode) => boolean = () => true): SimNode | undefined {
    return anyOf(this.world.random, this.nodes.filter(filter));
  }

  #firstConfiguration(numbers: readonly number[]): Configuration {
    const chosen = this.profile.start === 'all' ? numbers : [1];
    const members = chosen.map((number) => this.#memberOf(number, 1, this.#roleOf(number)));
    return { ...emptyConfiguration, members };
  }

  #makeSlot(number: number): Slot {
    const role = this.#roleOf(number);
    const place = { number, role, address: addressOf(number), incarnations: 1 };
    const isFounder = number === 1 || this.profile.start === 'all';
    const configuration = isFounder ? this.#configuration : emptyConfiguration;
    return { ...place, node: this.#makeNode(place, configuration) };
  }

  #makeNode(place: Omit<Slot, 'node'>, configuration: Configuration): SimNode {
    const { world, network, checker, counts, faults, profile } = this;
    const role = place.role === 'observer' ? 'observer' : 'learner';
    return new SimNode({
      world,
      network,
      checker,
      counts,
      faults,
      profile,
      clusterId: this.#clusterId,
      member: this.#memberOf(place.number, place.incarnations, role),
      configuration,
      gossip: () => this.#gossip(),
      onMoment: (node, moment) => this.onMoment(node, moment),
      onDamaged: (node) => {
        this.counts.rebuilds++;
        this.replace(node);
      },
      deliver: (from, message) => {
        const to = this.nodes.find(({ self }) => self === message.to);
        if (to === undefined || this.network.memory.isCut(from.address, to.address)) return;
        to.receiveLate(message);
      },
      onSnapshotSent: (sent) => (this.#newestSnapshot = sent),
      onUp: (node) => this.#onUp(node),
      touch: (node) => {
        if (node.watched !== null) this.#touched.set(node, node.watched);
      },
    });
  }

  /** It has more in its log than it knows to be committed: a snapshot from between cuts nothing. */
  #onUp(node: SimNode): void {
    const sent = this.#newestSnapshot;
    if (sent === null || sent.from === node.self || !this.world.isStormy) return;
    if (!happens(this.world.random, 300)) return;
    addFault(this.faults, 'staleSnapshot');
    this.world.note(`a late snapshot of ${sent.from} reaches ${node.name}`);
    giveSnapshot(node, sent);
  }

  #roleOf(number: number): MemberRole {
    return this.profile.hasObserver && number === this.profile.nodeCount ? 'observer' : 'voter';
  }

  #memberOf(number: number, incarnation: number, role: MemberRole): Member {
    return {
      nodeId: asNodeId(`n${number}`),
      incarnation: asIncarnation(`${incarnation}`),
      role,
      zone: '',
      raftAddress: addressOf(number),
      httpAddress: `http${number}:1`,
      gossipAddress: `gossip${number}:1`,
    };
  }

  #gossip(): readonly MemberView[] {
    return this.nodes.map(({ member }) => ({
      nodeId: member.nodeId,
      incarnation: member.incarnation,
      raftAddress: member.raftAddress,
      httpAddress: member.httpAddress,
      address: member.gossipAddress,
      zone: member.zone,
      epoch: 1,
      counter: 0,
      status: 'alive',
    }));
  }

  #afterEvent(): void {
    for (const watched of this.#touched.values()) this.checker.observe(watched);
    this.#touched.clear();
    this.history.check();
  }

  #onConfiguration(configuration: Configuration): void {
    this.#configuration = configuration;
    this.counts.configurations++;
    if (configuration.outgoingVoters.length > 0) this.counts.jointChanges++;
    const members = configuration.members.map((one) => `${peerIdOfMember(one)} ${one.role}`);
    const leaving = configuration.outgoingVoters.join(', ');
    const joint = leaving === '' ? '' : `; jointly with ${leaving}`;
    this.world.note(`committed configuration: ${members.join(', ')}${joint}`);
  }

  /** The operator: sees to it that every node is a member. */
  #steward(): void {
    this.world.after(stewardMs, () => {
      this.#replaceRemoved();
      this.#correct();
      this.#steward();
    });
  }

  /** A removed incarnation stays about for a while, and asks for votes; then its node starts afresh. */
  #replaceRemoved(): void {
    const { removed, outgoingVoters } = this.#configuration;
    // Until a joint change is over, those who leave still vote.
    if (outgoingVoters.length > 0) return;
    for (const { self } of this.nodes) {
      if (removed.includes(self) && this.#isTimeUp(self)) {
        const node = this.nodes.find((one) => one.self === self);
        if (node !== undefined) this.replace(node);
      }
    }
  }

  #isTimeUp(removed: PeerId): boolean {
    const { world } = this;
    const untilMs =
      this.#lingering.get(removed) ??
      world.nowMs + (happens(world.random, 500) ? 0 : world.random.intBelow(lingerMsMax));
    this.#lingering.set(removed, untilMs);
    return !world.isStormy || world.nowMs >= untilMs;
  }

  #correct(): void {
    const { leader } = this;
    if (leader?.isResponsive !== true || this.#isChanging) return;
    const configuration = leader.replica?.configuration ?? this.#configuration;
    const changes = this.#correctionsOf(configuration);
    if (changes.length === 0) return;
    this.#isChanging = true;
    const answered = this.changeMembers(leader, changes);
    void answered.then(() => (this.#isChanging = false));
  }

  /** Members that nobody is go first: they may have the address of somebody. */
  #correctionsOf(configuration: Configuration): readonly MemberChange[] {
    const names = this.nodes.map(({ member }) => member.nodeId);
    const strangers = configuration.members.filter(({ nodeId }) => !names.includes(nodeId));
    if (strangers.length > 0) {
      return strangers.map(({ nodeId, incarnation }) => ({ kind: 'remove', nodeId, incarnation }));
    }
    const missing = this.nodes.filter(
      ({ self }) => !memberOf(configuration, self) && !configuration.removed.includes(self),
    );
    const chosen = happens(this.world.random, 500) ? missing : missing.slice(0, 1);
    return chosen.map(({ member }) => ({ kind: 'add', member }));
  }
}

const textOf = (change: MemberChange): string =>
  `${change.kind} ${'member' in change ? peerIdOfMember(change.member) : change.nodeId}`;

const addressOf = (number: number): string => `node${number}:1`;
