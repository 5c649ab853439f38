import type { Random } from '../../../src/shared/index.ts';
import type { Client } from './client.ts';
import type { Disturbance } from './profile.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { Moment, SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

const HOUR_MS = 3_600_000;

/** How often a crash follows at once, of 1000. */
const ambushPerMille: Readonly<Record<Moment, number>> = {
  voted: 300,
  leads: 50,
  writes: 2,
  compacted: 15,
  installs: 250,
  installed: 100,
};

/** Disturbs a cluster, again and again, until it is told to stop; then nothing is wrong any more. */
export class Nemesis {
  readonly #cluster: SimCluster;
  readonly #clients: readonly Client[];
  readonly #random: Random;
  #isStopped = false;

  constructor(cluster: SimCluster, clients: readonly Client[]) {
    this.#cluster = cluster;
    this.#clients = clients;
    this.#random = cluster.world.fork();
  }

  start(): void {
    const { world, profile } = this.#cluster;
    if (profile.disturbances.includes('ambush')) {
      this.#cluster.onMoment = (node, moment) => this.#onMoment(node, moment);
    }
    world.after(between(this.#random, 50, profile.calmMsMax), () => {
      if (this.#isStopped) return;
      const kind = anyOf(this.#random, profile.disturbances);
      if (kind !== undefined) this.#disturb(kind);
      this.start();
    });
  }

  stop(): void {
    this.#isStopped = true;
    this.#cluster.network.partition(() => false);
    this.#cluster.network.setFaults(null);
    for (const node of this.#cluster.nodes) {
      node.disk.latencyMsMax = 2;
      node.disk.armed = 'none';
      node.life?.resume();
      node.start();
    }
  }

  #disturb(kind: Disturbance): void {
    const { network, profile, world } = this.#cluster;
    switch (kind) {
      case 'crash':
        this.#crash(this.#anyNode());
        return;
      case 'crashAll':
        if (happens(this.#random, 250)) for (const node of this.#cluster.nodes) this.#crash(node);
        return;
      case 'kill':
        this.#kill(this.#anyNode());
        return;
      case 'stop':
        this.#stop(this.#cluster.anyNode((node) => node.isResponsive));
        return;
      case 'pause':
        this.#pause(this.#cluster.anyNode((node) => node.isResponsive));
        return;
      case 'split':
      case 'isolate':
      case 'oneWay':
        this.#partition(kind);
        return;
      case 'badNetwork':
        world.note('the network is bad');
        network.setFaults({
          lostPerMille: between(this.#random, 0, 250),
          brokenPerMille: between(this.#random, 0, 10),
          delayMsMin: 0,
          delayMsMax: between(this.#random, profile.network.delayMsMax, 120),
        });
        this.#later(3_000, () => network.setFaults(null));
        return;
      default:
        this.#disturbNode(kind);
    }
  }

  #disturbNode(kind: Disturbance): void {
    const node = this.#anyNode();
    if (node === undefined) return;
    if (kind === 'slowDisk') {
      node.disk.latencyMsMax = anyOf(this.#random, [30, 100, 400, 3_000]) ?? 30;
      this.#cluster.world.note(`${node.name} has a slow disk: ${node.disk.latencyMsMax}`);
      this.#later(2_000, () => (node.disk.latencyMsMax = 2));
    } else if (kind === 'diskFault') {
      node.disk.armed = anyOf(this.#random, ['log', 'snapshot', 'engine'] as const) ?? 'log';
    } else if (kind === 'transfer') this.#transfer();
    else if (kind === 'evict' || kind === 'update') this.#changeMembers(kind, node);
    else if (kind === 'freeze') this.#freeze();
    else if (kind === 'replace') this.#replace(node);
    else if (kind === 'wallClock') {
      node.wallOffsetMs = between(this.#random, -HOUR_MS, HOUR_MS);
    }
  }

  #crash(node: SimNode | undefined): void {
    if (!node?.life) return;
    this.#cluster.counts.crashes++;
    node.crash(happens(this.#random, 400));
    this.#restart(node);
  }

  #kill(node: SimNode | undefined): void {
    if (!node?.life) return;
    this.#cluster.counts.kills++;
    node.kill();
    this.#restart(node);
  }

  #stop(node: SimNode | undefined): void {
    if (node === undefined) return;
    this.#cluster.counts.stops++;
    node.stop();
  }

  #restart(node: SimNode): void {
    this.#later(anyOf(this.#random, [5, 50, 500, 3_000]) ?? 50, () => {
      if (node.life === null) this.#cluster.counts.restarts++;
      node.start();
    });
  }

  #pause(node: SimNode | undefined): void {
    const life = node?.life;
    if (!node || !life) return;
    this.#cluster.counts.pauses++;
    this.#cluster.world.note(`${node.name} stands still`);
    life.pause();
    this.#later(anyOf(this.#random, [100, 600, 2_500]) ?? 100, () => {
      if (life.isPaused) this.#cluster.world.note(`${node.name} goes on`);
      life.resume();
    });
  }

  #partition(kind: 'split' | 'isolate' | 'oneWay'): void {
    const { network, world, counts } = this.#cluster;
    const { leader, nodes } = this.#cluster;
    counts.partitions++;
    const alone = happens(this.#random, 500) ? leader : this.#anyNode();
    const side = new Set(
      kind === 'split'
        ? nodes.filter(() => happens(this.#random, 500)).map(({ address }) => address)
        : [alone?.address ?? ''],
    );
    const inward = happens(this.#random, 500);
    if (alone !== undefined && happens(this.#random, 700)) this.#writeInVain(alone);
    world.note(`partition ${kind} ${[...side].join()} ${inward ? 'in' : 'out'}`);
    network.partition((from, to) => {
      if (kind !== 'oneWay') return side.has(from) !== side.has(to);
      return side.has(inward ? to : from);
    });
    this.#later(anyOf(this.#random, [300, 1_500, 6_000]) ?? 300, () => {
      world.note('partition heals');
      network.partition(() => false);
    });
  }

  /** What a node that is cut off now takes in, others may have to cut off its log later. */
  #writeInVain(node: SimNode): void {
    for (const client of this.#clients) void client.writeSomething(node);
  }

  #transfer(): void {
    const { leader } = this.#cluster;
    if (leader?.isResponsive !== true) return;
    const to = happens(this.#random, 500) ? (this.#anyNode()?.self ?? null) : null;
    this.#cluster.world.note(`${leader.name} is to hand over to ${to ?? 'the best'}`);
    void leader.replica?.transfer(to);
  }

  /** Asks whoever takes himself for the leader, maybe two at once. */
  #changeMembers(kind: 'evict' | 'update', node: SimNode): void {
    const leaders = this.#cluster.nodes.filter(({ replica }) => replica?.isLeader === true);
    if (kind === 'evict' && !this.#cluster.isSettled) return;
    const wanted = happens(this.#random, 400) ? (leaders[0] ?? node) : node;
    const { member } = wanted;
    for (const leader of leaders) {
      void this.#cluster.changeMembers(
        leader,
        kind === 'evict'
          ? { kind: 'remove', nodeId: member.nodeId }
          : { kind, member: { ...member, zone: `zone ${this.#random.intBelow(100)}` } },
      );
    }
  }

  /** The leader stands still, cut off; when it goes on it learns late that others went on. */
  #freeze(): void {
    const { leader, network, world, counts } = this.#cluster;
    const life = leader?.life;
    if (leader === undefined || !life || life.isPaused) return;
    counts.pauses++;
    counts.partitions++;
    world.note(`${leader.name} stands still, cut off`);
    network.partition((from, to) => (from === leader.address) !== (to === leader.address));
    life.pause();
    const stillMs = between(this.#random, 300, 2_500);
    world.after(stillMs, () => {
      for (const client of this.#clients) void client.readSomething(leader);
      world.note(`${leader.name} goes on, still cut off`);
      life.resume();
    });
    world.after(stillMs + this.#random.intBelow(500), () => network.partition(() => false));
  }

  /** Where a crash hurts most: between two steps that belong together. */
  #onMoment(node: SimNode, moment: Moment): void {
    if (this.#isStopped || !happens(this.#random, ambushPerMille[moment])) return;
    const { life } = node;
    this.#cluster.world.after(this.#random.intBelow(5), () => {
      if (this.#isStopped || life === null || node.life !== life) return;
      if (happens(this.#random, 600)) this.#crash(node);
      else this.#kill(node);
    });
  }

  /** Never a second disk before the cluster is whole again: two lost ones may be a quorum's. */
  #replace(node: SimNode): void {
    if (this.#cluster.isSettled && this.#cluster.profile.nodeCount >= 3) {
      this.#cluster.replace(node);
    }
  }

  #anyNode(): SimNode | undefined {
    return anyOf(this.#random, this.#cluster.nodes);
  }

  /** Undone after at most `withinMs`, also when the disturbing is over by then. */
  #later(withinMs: number, run: () => void): void {
    this.#cluster.world.after(between(this.#random, 1, withinMs), run);
  }
}
