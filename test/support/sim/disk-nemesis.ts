import { crash, kill, restart, whenWriting } from './process-nemesis.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

/** What happens to disks. */
export const diskActs = {
  slowDisk: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined) return;
    scene.count('slowDisk');
    node.disk.latencyMsMax = anyOf(scene.random, [30, 100, 400, 3_000]) ?? 30;
    scene.note(`${node.name} has a slow disk: ${node.disk.latencyMsMax}`);
    scene.later(2_000, () => (node.disk.latencyMsMax = 2));
  },

  /** Nothing completes for a while, or until somebody pulls the plug. */
  hungDisk: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined) return;
    scene.count('hungDisk');
    scene.note(`${node.name} has a disk that hangs`);
    node.disk.hang();
    const isPulled = happens(scene.random, 300);
    scene.later(anyOf(scene.random, [300, 2_000, 6_000]) ?? 300, () => {
      if (isPulled && !scene.isOver) crash(scene, node);
      scene.note(`${node.name} has a disk that goes on`);
      node.disk.release();
    });
  },

  /** The system reports an error, once. */
  diskError: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined) return;
    const kinds = ['log', 'log', 'logRead', 'snapshot', 'engine'] as const;
    node.disk.armed = anyOf(scene.random, kinds) ?? 'log';
  },

  /** No room for anything new, until somebody makes some. */
  fullDisk: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined) return;
    scene.count('fullDisk');
    scene.note(`${node.name} has a full disk`);
    node.disk.isFull = true;
    scene.later(3_000, () => {
      scene.note(`${node.name} has room on its disk again`);
      node.disk.isFull = false;
    });
  },

  /** Between any two steps of what it does with its disk, or within one. */
  crashAtStep: (scene: Scene): void => {
    const node = scene.importantNode();
    if (!node?.life) return;
    const steps = between(scene.random, 1, anyOf(scene.random, [3, 20, 100, 400]) ?? 20);
    node.crashAtStep(steps, () => {
      scene.count('crashAtStep');
      if (happens(scene.random, 700)) node.crash(false);
      else node.kill();
    });
  },

  /** At rest, on one node at a time; most often looked at soon after. */
  bitFlip: (scene: Scene): void => damage(scene, 'bitFlip', (node) => node.disk.flipBit()),

  lostFile: (scene: Scene): void => damage(scene, 'lostFile', (node) => node.disk.loseFile()),

  /** Cut short, exchanged for another one, or that of another node. */
  misplacedFile: (scene: Scene): void => {
    const other = scene.anyNode();
    if (other === undefined) return;
    damage(scene, 'misplacedFile', ({ disk }) =>
      disk === other.disk ? null : disk.misplaceFile(other.disk),
    );
  },

  /** Power fails as soon as the log is written to. */
  tornSector: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node === undefined) return;
    whenWriting(scene, node, () => {
      if (!scene.cluster.mayLoseDisk) return;
      if (node.crashTorn()) scene.count('tornSector');
      restart(scene, node);
    });
  },

  /** Never a second disk before the cluster is whole again: two lost ones may be a quorum's. */
  wipe: (scene: Scene): void => {
    const node = scene.anyNode();
    if (node === undefined || !scene.cluster.mayLoseDisk) return;
    scene.count('wipe');
    scene.cluster.replace(node);
  },
};

function damage(
  scene: Scene,
  fault: 'bitFlip' | 'lostFile' | 'misplacedFile',
  hit: (node: SimNode) => string | null,
): void {
  const node = scene.anyNode();
  if (node === undefined || !scene.cluster.mayLoseDisk) return;
  const path = hit(node);
  if (path === null) return;
  scene.count(fault);
  scene.note(`${node.name} has a ${fault} at ${path}`);
  if (happens(scene.random, 150)) return;
  scene.laterIfNotOver(500, () => kill(scene, node));
}
