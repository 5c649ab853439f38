import { crash } from './process-nemesis.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

const COMPANION_LATE_MS_MAX = 250;
/** Few enough to leave room in what may be on its way to it. */
const COMPANION_ENTRIES = 2;
const COMPANION_WRITES_MS_MAX = 300;
const COMPANION_HANGS_MS_MAX = 6_000;
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
  // The others must be enough to elect another leader.
  const mayTakeOne = cluster.nodes.length >= 5;
  if (mayTakeOne && happens(random, 400)) withCompanion(scene, leader);
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
  const companion = scene.cluster.anyNode((node) => node.isResponsive && node !== leader);
  if (companion === undefined) return;
  const lastIndex = (): number => companion.replica?.view.lastIndex ?? 0;
  const enough = lastIndex() + COMPANION_ENTRIES;
  companion.disk.hang();
  const isSo = (): boolean => lastIndex() >= enough;
  scene.when({ isSo, everyMs: 1, withinMs: COMPANION_WRITES_MS_MAX }, () =>
    cutOffInTurn(scene, leader, companion),
  );
  scene.later(COMPANION_HANGS_MS_MAX, () => companion.disk.release());
}

/** The companion is with the leader again while that still leads, with most of it. */
function cutOffInTurn(scene: Scene, leader: SimNode, companion: SimNode): void {
  const { cluster, random } = scene;
  cutOff(scene, [leader]);
  scene.writeInVain(leader);
  scene.writeMuchInVain(leader);
  cluster.world.after(random.intBelow(COMPANION_LATE_MS_MAX), () => {
    if (!scene.isOver) cutOff(scene, [leader, companion]);
  });
  cluster.world.after(cutMs(scene), () => back(scene, leader));
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
