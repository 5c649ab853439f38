import { comeback } from './comeback.ts';
import type { Fault } from './profile.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

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

  comeback,

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
