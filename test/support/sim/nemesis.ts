import type { Client } from './client.ts';
import { diskActs } from './disk-nemesis.ts';
import { laterActs } from './later-release.ts';
import { memberActs } from './member-nemesis.ts';
import { networkActs } from './network-nemesis.ts';
import { crash, kill, processActs } from './process-nemesis.ts';
import type { Disturbance } from './profile.ts';
import { Scene } from './scene.ts';
import type { SimCluster } from './sim-cluster.ts';
import type { Moment, SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

/** How often a crash follows at once, of 1000. */
const ambushPerMille: Readonly<Record<Moment, number>> = {
  voted: 300,
  leads: 50,
  writes: 2,
  compacted: 15,
  installs: 400,
  installed: 300,
};

const acts: Readonly<Record<Exclude<Disturbance, 'ambush'>, (scene: Scene) => void>> = {
  ...networkActs,
  ...processActs,
  ...diskActs,
  ...memberActs,
  ...laterActs,
};

/** Disturbs a cluster, again and again, until it is told to stop; then nothing is wrong any more. */
export class Nemesis {
  readonly #scene: Scene;

  constructor(cluster: SimCluster, clients: readonly Client[]) {
    this.#scene = new Scene(cluster, clients);
  }

  start(): void {
    const { cluster, random } = this.#scene;
    const { world, profile } = cluster;
    if (profile.disturbances.includes('ambush')) {
      cluster.onMoment = (node, moment) => this.#onMoment(node, moment);
    }
    world.after(between(random, 50, profile.calmMsMax), () => {
      if (this.#scene.isOver) return;
      const kind = anyOf(random, profile.disturbances);
      if (kind !== undefined && kind !== 'ambush') acts[kind](this.#scene);
      this.start();
    });
  }

  /** A damaged disk is looked at now: whoever has one starts again. */
  stop(): void {
    const { cluster } = this.#scene;
    this.#scene.isOver = true;
    cluster.network.partition(() => false);
    cluster.network.setFaults(null);
    cluster.network.memory.slowDialPerMille = 0;
    for (const node of cluster.nodes) {
      node.disk.disarm();
      node.life?.resume();
      if (node.disk.isDamaged) node.kill();
      node.start();
    }
  }

  /** Where a crash hurts most: between two steps that belong together. */
  #onMoment(node: SimNode, moment: Moment): void {
    const { cluster, random } = this.#scene;
    if (this.#scene.isOver || !happens(random, ambushPerMille[moment])) return;
    const { life } = node;
    cluster.world.after(random.intBelow(5), () => {
      if (this.#scene.isOver || life === null || node.life !== life) return;
      if (happens(random, 600)) crash(this.#scene, node);
      else kill(this.#scene, node);
    });
  }
}
