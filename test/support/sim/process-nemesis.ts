import { BLOCK_BYTES } from '../../../src/storage/log/settings.ts';
import type { Scene } from './scene.ts';
import type { SimNode } from './sim-node.ts';
import { anyOf, between, happens } from './world.ts';

/** Two clocks differ by more than what a session may be idle for. */
const CLOCK_ERROR_MS_MAX = 3 * 3_600_000;

/** More than a block of the log. */
const LONG_WRITE_BYTES = BLOCK_BYTES + 1;
const AGAIN_MS_MAX = 400;
const UP_MS_MAX = 5_000;

/** Twice as long as followers wait for a leader. */
const HICCUP_MS_MAX = 1_000;
const HICCUP_LATENCY_MS = 300;
const HICCUP_LATE_MS = 100;

/** What happens to processes and the machines they run on. */
export const processActs = {
  crash: (scene: Scene): void => {
    const node = scene.importantNode();
    if (node !== undefined && happens(scene.random, 500)) crashWriting(scene, node);
    else crash(scene, node);
  },

  crashAll: (scene: Scene): void => {
    if (!happens(scene.random, 250)) return;
    for (const node of scene.cluster.nodes) crash(scene, node);
  },

  kill: (scene: Scene): void => kill(scene, scene.importantNode()),

  /** As an operator would have it end. */
  stop: (scene: Scene): void => {
    const node = scene.responsiveNode();
    if (node === undefined) return;
    scene.count('stop');
    node.stop();
  },

  /** SIGSTOP, or a long garbage collection. */
  pause: (scene: Scene): void => {
    const node = scene.responsiveNode();
    const life = node?.life;
    if (!node || !life) return;
    scene.count('pause');
    scene.note(`${node.name} stands still`);
    life.pause();
    scene.later(anyOf(scene.random, [100, 600, 2_500]) ?? 100, () => {
      if (life.isPaused) scene.note(`${node.name} goes on`);
      life.resume();
    });
  },

  /** The leader stands still, cut off; when it goes on it learns late that others went on. */
  freeze: (scene: Scene): void => {
    const { leader, network, world } = scene.cluster;
    const life = leader?.life;
    if (leader === undefined || !life || life.isPaused) return;
    scene.count('freeze');
    scene.note(`${leader.name} stands still, cut off`);
    network.partition((from, to) => (from === leader.address) !== (to === leader.address));
    life.pause();
    const stillMs = between(scene.random, 300, 2_500);
    world.after(stillMs, () => {
      const isFirst = happens(scene.random, 500);
      for (const client of scene.clients) void client.readSomething(leader, isFirst);
      scene.note(`${leader.name} goes on, still cut off`);
      life.resume();
    });
    world.after(stillMs + scene.random.intBelow(500), () => network.partition(() => false));
  },

  /**
   * The leader stands still until one of the others stands for election. Disks are slow: it may be
   * back before the candidate's vote is written, which then campaigns in vain.
   */
  hiccup: (scene: Scene): void => {
    const { leader, world, nodes } = scene.cluster;
    const life = leader?.life;
    if (leader === undefined || !life || life.isPaused) return;
    scene.count('hiccup');
    scene.note(`${leader.name} stands still for a moment, disks are slow`);
    life.pause();
    const isSo = (): boolean => nodes.some(({ replica }) => replica?.view.role === 'candidate');
    scene.when({ isSo, everyMs: 5, withinMs: HICCUP_MS_MAX }, () =>
      world.after(scene.random.intBelow(HICCUP_LATE_MS), () => life.resume()),
    );
    for (const { disk } of nodes) disk.latencyMsMax = HICCUP_LATENCY_MS;
    world.after(HICCUP_MS_MAX, () => {
      life.resume();
      for (const { disk } of nodes) disk.latencyMsMax = 2;
    });
  },

  clockJump: (scene: Scene): void => {
    const node = scene.anyNode();
    if (node === undefined) return;
    scene.count('clockJump');
    node.wallOffsetMs = between(scene.random, -CLOCK_ERROR_MS_MAX, CLOCK_ERROR_MS_MAX);
    scene.note(`${node.name} has its clock wrong by ${node.wallOffsetMs}`);
  },
};

/** Power fails, with or without a word to those who were connected. */
export function crash(scene: Scene, node: SimNode | undefined): void {
  if (!node?.life) return;
  scene.count('powerCut');
  node.crash(happens(scene.random, 400));
  restart(scene, node);
}

/** In the middle of a long write, and again when little was written over what it left. */
function crashWriting(scene: Scene, node: SimNode): void {
  void anyOf(scene.random, scene.clients)?.writeLong(node);
  whenWriting(scene, node, () => {
    crash(scene, node);
    if (happens(scene.random, 300)) return;
    const isSo = (): boolean => node.running !== null;
    scene.when({ isSo, everyMs: 10, withinMs: UP_MS_MAX }, () => crashAgain(scene, node));
  });
}

function crashAgain(scene: Scene, node: SimNode): void {
  if (happens(scene.random, 500)) whenWriting(scene, node, () => crash(scene, node));
  else scene.laterIfNotOver(AGAIN_MS_MAX, () => crash(scene, node));
}

/** Runs it within a write of the log, of several blocks if there is one soon; maybe never. */
export function whenWriting(scene: Scene, node: SimNode, run: () => void, tries = 300): void {
  if (scene.isOver || tries === 0 || !node.life) return;
  const bytesMin = tries > 100 ? LONG_WRITE_BYTES : 1;
  if (node.disk.logUnsyncedBytes >= bytesMin) run();
  else scene.cluster.world.after(1, () => whenWriting(scene, node, run, tries - 1));
}

export function kill(scene: Scene, node: SimNode | undefined): void {
  if (!node?.life) return;
  scene.count('kill');
  node.kill();
  restart(scene, node);
}

export function restart(scene: Scene, node: SimNode): void {
  scene.later(anyOf(scene.random, [5, 50, 500, 3_000]) ?? 50, () => {
    if (node.life === null) scene.cluster.counts.restarts++;
    node.start();
  });
}
