import { crash } from './process-nemesis.ts';
import type { Fault } from './profile.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

const COMPANION_LATE_MS_MAX = 250;

type IsCut = (from: string, to: string) => boolean;

/** What goes wrong between nodes. */
export const networkActs = {
  /** Two groups. */
  split: (scene: Scene): void => {
    const { nodes } = scene.cluster;
    const side = new Set(
      nodes.filter(() => happens(scene.random, 500)).map(({ address }) => address),
    );
    cut(scene, 'split', (from, to) => side.has(from) !== side.has(to));
  },

  isolate: (scene: Scene): void => {
    const alone = aloneOf(scene)?.address;
    cut(scene, 'isolate', (from, to) => (from === alone) !== (to === alone));
  },

  /** It hears and is not heard, or the other way. */
  oneWay: (scene: Scene): void => {
    const alone = aloneOf(scene)?.address;
    const isInward = happens(scene.random, 500);
    cut(scene, 'oneWay', (from, to) => (isInward ? to : from) === alone);
  },

  /** Each pair is drawn: who reaches whom is not transitive, and maybe not the same both ways. */
  tangle: (scene: Scene): void => {
    const perMille = anyOf(scene.random, [200, 400, 600]) ?? 400;
    const isOneWay = happens(scene.random, 300);
    const drawn = new Map<string, boolean>();
    cut(scene, 'tangle', (from, to) => {
      const name = isOneWay ? `${from} ${to}` : [from, to].sort().join(' ');
      const known = drawn.get(name) ?? happens(scene.random, perMille);
      drawn.set(name, known);
      return known;
    });
  },

  /**
   * A leader that was cut off, with much that nobody else has, is back, maybe as the next one dies;
   * with another node, sometimes, whose disk still has all of it to write.
   */
  comeback: (scene: Scene): void => {
    const { cluster, random } = scene;
    const { leader } = cluster;
    if (leader?.isResponsive !== true) return;
    const companion = happens(random, 400) ? hungCompanion(scene, leader) : undefined;
    const side = [leader.address];
    scene.count('comeback');
    const cutOff = (): void => {
      scene.note(`${side.join(' and ')} is cut off, to come back`);
      cluster.network.partition((from, to) => side.includes(from) !== side.includes(to));
    };
    // The companion has not written what the others have either, and then gets much at once; if it
    // comes too late, it has another leader by then.
    const aheadMs = companion === undefined ? 0 : random.intBelow(100);
    cluster.world.after(aheadMs, () => {
      if (scene.isOver) return;
      cutOff();
      scene.writeInVain(leader);
      scene.writeMuchInVain(leader);
    });
    if (companion !== undefined) {
      cluster.world.after(aheadMs + random.intBelow(COMPANION_LATE_MS_MAX), () => {
        side.push(companion.address);
        if (!scene.isOver) cutOff();
      });
    }
    const cutMs = aheadMs + between(random, 400, anyOf(random, [1_000, 2_000, 5_000]) ?? 1_000);
    cluster.world.after(cutMs + random.intBelow(1_000), () => companion?.disk.release());
    cluster.world.after(cutMs, () => {
      if (scene.isOver) return;
      if (cluster.leader !== leader && happens(random, 500)) crash(scene, cluster.leader);
      cluster.network.partition(() => false);
    });
  },

  badNetwork: (scene: Scene): void => {
    const { random, cluster } = scene;
    const { network, profile } = cluster;
    scene.count('badNetwork');
    scene.note('the network is bad');
    network.setFaults({
      lostPerMille: between(random, 0, 250),
      brokenPerMille: between(random, 0, 10),
      delayMsMin: 0,
      delayMsMax: between(random, profile.network.delayMsMax, 120),
    });
    scene.later(3_000, () => network.setFaults(null));
  },
};

function hungCompanion({ cluster }: Scene, leader: SimNode): SimNode | undefined {
  const companion = cluster.anyNode((node) => node.isResponsive && node !== leader);
  companion?.disk.hang();
  return companion;
}

function aloneOf(scene: Scene): SimNode | undefined {
  const alone = scene.importantNode();
  if (alone !== undefined && happens(scene.random, 700)) scene.writeInVain(alone);
  return alone;
}

function cut(scene: Scene, kind: Fault, isCut: IsCut): void {
  const { network } = scene.cluster;
  scene.count(kind);
  const pairs = network.partition(isCut);
  scene.note(`partition ${kind}: ${pairs.join(', ')}`);
  if (happens(scene.random, 300) && scene.cluster.leader) scene.writeInVain(scene.cluster.leader);
  scene.later(anyOf(scene.random, [300, 1_500, 6_000]) ?? 300, () => {
    scene.note('partition heals');
    network.partition(() => false);
  });
}
