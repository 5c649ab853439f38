import type { Random } from '../../../src/shared/index.ts';
import { between, oneOf, shuffled } from './arena.ts';
import type { Arena } from './arena.ts';
import { apart, fromTo, mutual } from './network.ts';
import type { Link } from './network.ts';

interface NetworkFault {
  readonly name: string;
  /** `order`: all nodes in an order of chance, the leader first when it is known. */
  readonly links: (order: readonly number[], random: Random) => Link[];
}

const majorityOf = (order: readonly number[]): number => Math.floor(order.length / 2) + 1;
const first = (order: readonly number[]): number[] => order.slice(0, 1);
const rest = (order: readonly number[]): number[] => order.slice(1);

const faults: readonly NetworkFault[] = [
  { name: 'leader alone', links: (order) => apart(first(order), rest(order)) },
  { name: 'one alone', links: (order) => apart(order.slice(-1), order.slice(0, -1)) },
  {
    name: 'leader in the minority',
    links: (order) => {
      const size = order.length - majorityOf(order);
      return apart(order.slice(0, size), order.slice(size));
    },
  },
  {
    name: 'leader in the majority',
    links: (order) => apart(order.slice(0, majorityOf(order)), order.slice(majorityOf(order))),
  },
  { name: 'leader is not heard', links: (order) => fromTo(first(order), rest(order)) },
  { name: 'leader hears nobody', links: (order) => fromTo(rest(order), first(order)) },
  { name: 'one hears nobody', links: (order) => fromTo(order.slice(0, -1), order.slice(-1)) },
  { name: 'one is not heard', links: (order) => fromTo(order.slice(-1), order.slice(0, -1)) },
  {
    name: 'two halves and a bridge',
    links: (order) => {
      const [, ...others] = order;
      const half = Math.floor(others.length / 2);
      return apart(others.slice(0, half), others.slice(half));
    },
  },
  { name: 'ring', links: ringCuts },
  {
    name: 'some pairs',
    links: (order, random) =>
      pairsOf(order).flatMap(([a, b]) => (random.intBelow(3) === 0 ? mutual(a, b) : [])),
  },
  {
    name: 'some directions',
    links: (order, random) =>
      pairsOf(order)
        .flatMap(([a, b]) => mutual(a, b))
        .filter(() => random.intBelow(4) === 0),
  },
  { name: 'all alone', links: (order) => pairsOf(order).flatMap(([a, b]) => mutual(a, b)) },
];

/** Cuts links, one such fault after the other. */
export async function runNetworkFaults(arena: Arena, random: Random): Promise<void> {
  while (!arena.isOver()) {
    await arena.rest(between(1500, 7000, random));
    await arena.mayStrike();
    const fault = oneOf(faults, random);
    const links = fault.links(await orderOf(arena, random), random);
    if (arena.isOver() || links.length === 0) continue;
    arena.strike(fault.name, links.map(({ from, to }) => `${from}>${to}`).join(' '));
    await arena.cut(links);
    await arena.rest(between(200, 7000, random));
    await arena.cut([]);
    arena.repaired(fault.name);
  }
}

async function orderOf(arena: Arena, random: Random): Promise<readonly number[]> {
  const leader = await arena.leader();
  const others = arena.nodes.filter((node) => node !== leader).map(({ n }) => n);
  const mixed = shuffled(others, random);
  return leader === null ? mixed : [leader.n, ...mixed];
}

function pairsOf(order: readonly number[]): (readonly [number, number])[] {
  return order.flatMap((a, i) => order.slice(i + 1).map((b) => [a, b] as const));
}

/** Each node reaches its two neighbours only. */
function ringCuts(order: readonly number[]): Link[] {
  const place = new Map(order.map((n, i) => [n, i]));
  const last = order.length - 1;
  return pairsOf(order).flatMap(([a, b]) => {
    const apartBy = Math.abs((place.get(a) ?? 0) - (place.get(b) ?? 0));
    return apartBy === 1 || apartBy === last ? [] : mutual(a, b);
  });
}
