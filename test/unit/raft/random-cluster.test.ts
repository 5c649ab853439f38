import { expect } from 'chai';
import { asIndex } from '../../../src/shared/index.ts';
import type { PeerId } from '../../../src/shared/index.ts';
import type { Configuration, Entry, MemberChange } from '../../../src/raft/index.ts';
import { decodeConfiguration } from '../../../src/wire/index.ts';
import { RaftCluster } from '../../support/raft-cluster.ts';
import { configurationOf, member, peer } from '../../support/raft-fixtures.ts';
import type { RaftNode } from '../../support/raft-node.ts';

const SEEDS = 50;
const STEPS = 1000;

const nameOf = (entry: Entry): string =>
  `${entry.index}@${entry.term} ${entry.kind} ${Buffer.from(entry.payload).toString('hex')}`;

/** What must hold whatever happens (Raft figure 3), checked as it happens. */
class Invariants {
  readonly #leaders = new Map<number, PeerId>();
  readonly #committed: string[] = [];
  readonly #joint = new Set<number>();
  readonly #seen = new Map<string, string>();
  readonly #progress = new Map<PeerId, { term: number; commit: number }>();
  readonly #reads = new Map<number, number>();
  readonly #cluster: RaftCluster;

  constructor(cluster: RaftCluster) {
    this.#cluster = cluster;
    cluster.onOutput = (node, output) => {
      if (output.change?.role === 'leader') this.#onLeader(node);
      for (const [position, entry] of (output.persist?.entries ?? []).entries()) {
        this.#onAppended(node, entry, output.persist?.entries[position - 1]);
      }
      for (const reply of output.replies) {
        if (reply.kind === 'readAt') this.#onReadAt(reply.tag, reply.index);
      }
      this.#onProgress(node);
    };
    cluster.onReleased = (_, entries) => {
      for (const entry of entries) this.#onReleased(entry);
    };
  }

  /** Joint configurations that were committed. */
  get jointCount(): number {
    return this.#joint.size;
  }

  get commitIndex(): number {
    return this.#committed.length - 1;
  }

  onRead(tag: number): void {
    this.#reads.set(tag, this.commitIndex);
  }

  /** A restarted node has the term that its disk has, and may know less of what is committed. */
  onRestart(node: RaftNode): void {
    this.#progress.set(node.id, { term: node.disk.hardState.term, commit: 0 });
  }

  /** Election safety, and leader completeness. */
  #onLeader(node: RaftNode): void {
    const { term } = node.view;
    expect(this.#leaders.get(term) ?? node.id, `leader of term ${term}`).to.equal(node.id);
    this.#leaders.set(term, node.id);
    for (let index = node.view.firstIndex as number; index <= this.commitIndex; index++) {
      const held = node.entryAt(index);
      expect(held && nameOf(held), `${node.id} leads`).to.equal(this.#committed[index]);
    }
  }

  /** Log matching: one (index, term) is one entry with one predecessor. */
  #onAppended(node: RaftNode, entry: Entry, before: Entry | undefined): void {
    const previous = before ?? node.entryAt(entry.index - 1);
    const previousTerm = previous?.term ?? node.disk.base.term;
    const identity = `${nameOf(entry)} after ${previousTerm}`;
    const key = `${entry.index}@${entry.term}`;
    expect(identity).to.equal(this.#seen.get(key) ?? identity);
    this.#seen.set(key, identity);
  }

  /** State machine safety. */
  #onReleased(entry: Entry): void {
    expect(nameOf(entry)).to.equal(this.#committed[entry.index] ?? nameOf(entry));
    this.#committed[entry.index] = nameOf(entry);
    if (entry.kind !== 'configuration') return;
    if (decodeConfiguration(entry.payload).outgoingVoters.length > 0) this.#joint.add(entry.index);
  }

  #onReadAt(tag: number, index: number): void {
    expect(index, `read ${tag}`).to.be.at.least(this.#reads.get(tag) ?? 0);
  }

  #onProgress(node: RaftNode): void {
    const { term, commitIndex } = node.view;
    const before = this.#progress.get(node.id);
    expect(term).to.be.at.least(before?.term ?? 0);
    expect(commitIndex).to.be.at.least(before?.commit ?? 0);
    this.#progress.set(node.id, { term, commit: commitIndex });
  }

  /** Liveness after healing: one leader, equal logs, new writes and reads served. */
  checkHealed(): void {
    const cluster = this.#cluster;
    // Terms that only one node knows, and transfers under way, come to rest first.
    cluster.run(2_000);
    cluster.runUntil(() => cluster.leaders.length === 1 && cluster.leader.view.leaderReady);
    const { leader } = cluster;
    cluster.propose(leader, 'last');
    const tag = cluster.read(leader);
    cluster.runUntil(() => members(leader).every((node) => isLevel(node, leader)));
    expect(cluster.replyTo(leader, tag)?.kind).to.equal('readAt');
    expect(leader.state.some((entry) => entry && entry.payload.length === 4)).to.equal(true);
  }
}

const members = (leader: RaftNode): RaftNode[] => {
  const { members } = leader.view.configuration.configuration;
  return members
    .map((each) => leaderCluster(leader).nodes.get(peer(`${each.nodeId}${each.incarnation}`)))
    .filter((node) => node !== undefined);
};

const clusters = new WeakMap<RaftNode, RaftCluster>();
const leaderCluster = (node: RaftNode): RaftCluster => {
  const cluster = clusters.get(node);
  expect(cluster).to.not.equal(undefined);
  return cluster as RaftCluster;
};

const inForce = (node: RaftNode): Configuration => node.view.configuration.configuration;

const isLevel = (node: RaftNode, leader: RaftNode): boolean =>
  node.view.commitIndex === leader.view.lastIndex &&
  node.view.appliedIndex === leader.view.lastIndex;

/** One seed's worth of trouble: loss, reordering, duplicates, crashes, late disks, changes. */
class Storm {
  readonly #cluster: RaftCluster;
  readonly #invariants: Invariants;
  readonly #int: (bound: number) => number;
  #text = 0;

  constructor(seed: number) {
    const cluster = new RaftCluster({
      configuration: configurationOf(seed % 2 === 0 ? 'a b c' : 'a b c d e'),
      nodes: 'a b c d e f',
      seed,
      settings: {
        inflightMessagesMax: 2,
        appendBytesMax: 40,
        // Short against the ticks below: every other seed has many contested elections.
        electionTimeoutMsMin: seed % 4 < 2 ? 100 : 250,
      },
    });
    this.#cluster = cluster;
    for (const node of cluster.nodes.values()) clusters.set(node, cluster);
    this.#invariants = new Invariants(cluster);
    this.#int = (bound) => cluster.random.intBelow(bound);
  }

  /** Returns how many joint changes were made. */
  run(): number {
    for (let step = 0; step < STEPS; step++) this.#step();
    this.#calm();
    this.#invariants.checkHealed();
    return this.#invariants.jointCount;
  }

  #step(): void {
    const cluster = this.#cluster;
    const dice = this.#int(100);
    if (dice < 10) cluster.tick(10 + this.#int(90));
    else if (dice < 20) this.#tickOne();
    else if (dice < 70) this.#deliverSome();
    else if (dice < 82) this.#persistSome();
    else if (dice < 92) this.#useLeader();
    else if (dice < 95) this.#crashOrRestart();
    else if (dice < 96) this.#toggleDisk();
    else if (dice < 97) this.#compactSome();
    else this.#changeNetwork();
  }

  #any<T>(items: readonly T[]): T | undefined {
    return items[this.#int(items.length)];
  }

  /** Clocks do not run alike. */
  #tickOne(): void {
    this.#any(this.#cluster.live)?.step({ kind: 'tick', elapsedMs: 10 + this.#int(90) });
  }

  #deliverSome(): void {
    const { network } = this.#cluster;
    for (let count = this.#int(8); count > 0 && network.length > 0; count--) {
      // Mostly the oldest; now and then any, and now and then twice.
      const position = this.#int(5) === 0 ? this.#int(network.length) : 0;
      const message = network[position];
      if (this.#int(12) > 0) network.splice(position, 1);
      if (message && this.#int(15) > 0) this.#cluster.pass(message);
    }
  }

  #persistSome(): void {
    this.#any(this.#cluster.live)?.persist(1 + this.#int(3));
  }

  #useLeader(): void {
    const cluster = this.#cluster;
    const node = this.#int(4) === 0 ? this.#any(cluster.live) : this.#any(cluster.leaders);
    if (!node) return;
    const dice = this.#int(20);
    if (dice < 10) cluster.propose(node, `${this.#text++}`, 'x'.repeat(this.#int(30)));
    else if (dice < 13) this.#read(node);
    else if (dice < 14) cluster.transfer(node, null);
    else this.#change(node);
  }

  /** The tag is noted before the step, since the reply can come with it. */
  #read(node: RaftNode): void {
    this.#invariants.onRead(this.#cluster.nextTag);
    this.#cluster.read(node);
  }

  #change(node: RaftNode): void {
    const dice = this.#int(3);
    if (dice === 0) this.#cluster.change(node, ...this.#exchange(node));
    else this.#cluster.change(node, this.#oneChange(node));
  }

  #oneChange(node: RaftNode): MemberChange {
    const name = this.#any(['a', 'b', 'c', 'd', 'e', 'f']) ?? 'a';
    const { members } = inForce(node);
    const { nodeId } = member(name);
    if (this.#int(2) === 0 && members.length > 2) return { kind: 'remove', nodeId };
    const role = this.#int(3) === 0 ? 'observer' : 'learner';
    return { kind: 'add', member: member(name, role) };
  }

  /** All others in, and some of the voters out, a majority of them and the leader maybe. */
  #exchange(node: RaftNode): MemberChange[] {
    const { members } = inForce(node);
    const others = members.filter(({ role }) => role !== 'voter');
    const voters = members.filter(({ role }) => role === 'voter');
    const leaving = voters.filter(() => this.#int(2) === 0).slice(0, members.length - 2);
    return [
      ...others.map(({ nodeId }) => ({ kind: 'promote', nodeId }) as const),
      ...leaving.map(({ nodeId }) => ({ kind: 'remove', nodeId }) as const),
    ];
  }

  #crashOrRestart(): void {
    const cluster = this.#cluster;
    const down = [...cluster.nodes.values()].filter(({ isDown }) => isDown);
    if (down.length >= 2 || (down.length > 0 && this.#int(2) === 0)) {
      const node = this.#any(down);
      node?.restart();
      if (node) this.#invariants.onRestart(node);
    } else this.#any(cluster.live)?.crash();
  }

  #toggleDisk(): void {
    const node = this.#any(this.#cluster.live);
    if (!node) return;
    node.persistsAtOnce = !node.persistsAtOnce;
    if (node.persistsAtOnce) node.persist();
  }

  #compactSome(): void {
    const node = this.#any(this.#cluster.live);
    const index = node ? node.view.appliedIndex - this.#int(3) : 0;
    const durable = node?.disk.entries.some((entry) => entry.index === index) ?? false;
    if (node && durable && node.entryAt(index) && !node.arrived) node.compact(asIndex(index));
  }

  #changeNetwork(): void {
    const cluster = this.#cluster;
    const dice = this.#int(4);
    const names = ['a', 'b', 'c', 'd', 'e', 'f'].filter(() => this.#int(2) === 0);
    const rest = ['a', 'b', 'c', 'd', 'e', 'f'].filter((name) => !names.includes(name));
    if (dice === 0) cluster.split(names.join(' '), rest.join(' '));
    else if (dice === 1) {
      const from = this.#any([...cluster.nodes.keys()]);
      cluster.loses = (message) => message.from === from;
    } else cluster.heal();
  }

  #calm(): void {
    const cluster = this.#cluster;
    cluster.heal();
    for (const node of cluster.nodes.values()) {
      node.persistsAtOnce = true;
      if (node.isDown) {
        node.restart();
        this.#invariants.onRestart(node);
      } else node.persist();
    }
  }
}

describe('RaftCore in a hostile cluster', () => {
  let jointCount = 0;

  for (let seed = 1; seed <= SEEDS; seed++) {
    it(`RaftCore keeps Raft's properties and recovers (seed ${seed})`, () => {
      jointCount += new Storm(seed).run();
    });
  }

  it('RaftCore went through joint changes in these storms', () => {
    expect(jointCount).to.be.at.least(SEEDS);
  });
});
