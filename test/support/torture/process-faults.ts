import type { Random } from '../../../src/shared/index.ts';
import { between, oneOf } from './arena.ts';
import type { Arena } from './arena.ts';
import type { TortureNode } from './torture-node.ts';

interface ProcessFault {
  readonly name: string;
  /** How many nodes at once; `leader`: one, and the leader when it is known and free. */
  readonly targets: (nodeCount: number) => number | 'leader';
  readonly strike: (nodes: readonly TortureNode[]) => Promise<void>;
  readonly repair: (nodes: readonly TortureNode[]) => void;
  readonly holdMs: readonly [number, number];
  /** How often compared with others: without a majority little happens that could go wrong. */
  readonly weight: number;
}

const kill = (nodes: readonly TortureNode[]): Promise<void> =>
  Promise.all(nodes.map(({ daemon }) => daemon.kill())).then(() => undefined);
const start = (nodes: readonly TortureNode[]): void => nodes.forEach((node) => node.start());

const pause = (nodes: readonly TortureNode[]): Promise<void> => {
  for (const node of nodes) node.pause();
  return Promise.resolve();
};
const resume = (nodes: readonly TortureNode[]): void => nodes.forEach((node) => node.resume());

const faults: readonly ProcessFault[] = [
  {
    name: 'kill -9 of one',
    weight: 3,
    targets: () => 1,
    strike: kill,
    repair: start,
    holdMs: [0, 5000],
  },
  {
    name: 'kill -9 of the leader',
    weight: 3,
    targets: () => 'leader',
    strike: kill,
    repair: start,
    holdMs: [0, 5000],
  },
  {
    name: 'kill -9 of a majority',
    weight: 1,
    targets: (count) => Math.floor(count / 2) + 1,
    strike: kill,
    repair: start,
    holdMs: [0, 3000],
  },
  {
    name: 'kill -9 of all',
    weight: 1,
    targets: (count) => count,
    strike: kill,
    repair: start,
    holdMs: [0, 1000],
  },
  {
    name: 'orderly restart of one',
    weight: 3,
    targets: () => 1,
    strike: async ([node]) => {
      await node?.daemon.stop();
    },
    repair: start,
    holdMs: [0, 2000],
  },
  {
    name: 'SIGSTOP of one',
    weight: 3,
    targets: () => 1,
    strike: pause,
    repair: resume,
    holdMs: [100, 8000],
  },
  {
    name: 'SIGSTOP of the leader',
    weight: 3,
    targets: () => 'leader',
    strike: pause,
    repair: resume,
    holdMs: [100, 4000],
  },
  {
    name: 'SIGSTOP of a majority',
    weight: 1,
    targets: (count) => Math.floor(count / 2) + 1,
    strike: pause,
    repair: resume,
    holdMs: [100, 3000],
  },
];

const lots = faults.flatMap((fault) => Array.from({ length: fault.weight }, () => fault));

/** Ends and stops processes, one such fault after the other. */
export async function runProcessFaults(arena: Arena, random: Random): Promise<void> {
  while (!arena.isOver()) {
    await arena.rest(between(1500, 7000, random));
    await arena.mayStrike();
    const fault = oneOf(lots, random);
    const targets = await choose(arena, fault, random);
    if (arena.isOver() || targets.length === 0) continue;
    for (const node of targets) node.reserve();
    arena.strike(fault.name, targets.map(({ id }) => id).join(' '));
    await fault.strike(targets);
    await arena.rest(between(...fault.holdMs, random));
    fault.repair(targets);
    arena.repaired(fault.name);
    for (const node of targets) node.release();
  }
}

async function choose(arena: Arena, fault: ProcessFault, random: Random): Promise<TortureNode[]> {
  const count = fault.targets(arena.nodes.length);
  const leader = count === 'leader' ? await arena.leader() : null;
  const free = arena.free(random);
  if (leader !== null && free.includes(leader)) return [leader];
  return free.slice(0, count === 'leader' ? 1 : count);
}
