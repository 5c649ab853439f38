import { crash } from './process-nemesis.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

const COMPANION_LATE_MS_MAX = 250;
const OUTRUN_MS_MAX = 6_000;
const INSTALLED_MS_MAX = 2_000;

/**
 * A leader that was cut off, with much that nobody else has, is back, maybe as the next one dies;
 * with another node, sometimes, whose disk still has all of it to write.
 */
export function comeback(scene: Scene): void {
  const { cluster, random } = scene;
  const { leader } = cluster;
  if (leader?.isResponsive !== true) return;
  scene.count('comeback');
  if (happens(random, 400)) withCompanion(scene, leader);
  else alone(scene, leader);
}

function alone(scene: Scene, leader: SimNode): void {
  cutOff(scene, [leader]);
  scene.writeInVain(leader);
  if (happens(scene.random, 500)) {
    scene.writeMuchInVain(leader, 80);
    backWhenOutrun(scene, leader);
    return;
  }
  scene.writeMuchInVain(leader);
  scene.cluster.world.after(cutMs(scene), () => back(scene, leader));
}

/**
 * Others have compacted entries that it lacks, and it has more behind them that nobody wants: it must
 * get a snapshot in the middle of its log. Sometimes power fails before it gets more than that.
 */
function backWhenOutrun(scene: Scene, leader: SimNode): void {
  const { cluster, random } = scene;
  const committed = leader.replica?.view.commitIndex ?? 0;
  const isPast = ({ replica }: SimNode): boolean => (replica?.view.firstIndex ?? 0) > committed + 1;
  const deadlineMs = cluster.world.nowMs + OUTRUN_MS_MAX;
  const isDue = (): boolean => cluster.world.nowMs >= deadlineMs || cluster.nodes.some(isPast);
  scene.when({ isSo: isDue, everyMs: 50, withinMs: Infinity }, () => {
    back(scene, leader);
    if (happens(random, 500)) return;
    const isInstalled = (): boolean => isPast(leader);
    scene.when({ isSo: isInstalled, everyMs: 1, withinMs: INSTALLED_MS_MAX }, () =>
      crash(scene, leader),
    );
  });
}

/**
 * The companion has not written what the others have either, and then gets much at once; if it comes
 * too late, it has another leader by then.
 */
function withCompanion(scene: Scene, leader: SimNode): void {
  const { cluster, random } = scene;
  const companion = cluster.anyNode((node) => node.isResponsive && node !== leader);
  companion?.disk.hang();
  const aheadMs = random.intBelow(100);
  cluster.world.after(aheadMs, () => {
    if (scene.isOver) return;
    cutOff(scene, [leader]);
    scene.writeInVain(leader);
    scene.writeMuchInVain(leader);
  });
  cluster.world.after(aheadMs + random.intBelow(COMPANION_LATE_MS_MAX), () => {
    if (companion !== undefined && !scene.isOver) cutOff(scene, [leader, companion]);
  });
  const backMs = aheadMs + cutMs(scene);
  cluster.world.after(backMs, () => back(scene, leader));
  cluster.world.after(backMs + random.intBelow(1_000), () => companion?.disk.release());
}

const cutMs = ({ random }: Scene): number =>
  between(random, 400, anyOf(random, [1_000, 2_000, 5_000]) ?? 1_000);

function cutOff(scene: Scene, side: readonly SimNode[]): void {
  const addresses = side.map(({ address }) => address);
  scene.note(`${addresses.join(' and ')} is cut off, to come back`);
  scene.cluster.network.partition(
    (from, to) => addresses.includes(from) !== addresses.includes(to),
  );
}

function back(scene: Scene, leader: SimNode): void {
  const { cluster, random } = scene;
  if (scene.isOver) return;
  scene.note(`${leader.name} is back`);
  if (cluster.leader !== leader && happens(random, 500)) crash(scene, cluster.leader);
  cluster.network.partition(() => false);
}
