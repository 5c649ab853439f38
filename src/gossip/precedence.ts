import type { MemberRecord, MemberStatus } from '../wire/index.ts';

const ranks: Readonly<Record<MemberStatus, number>> = { alive: 0, suspect: 1, dead: 2, left: 3 };

const texts = (record: MemberRecord): readonly string[] => [
  record.incarnation,
  record.address,
  record.zone,
  record.httpAddress,
  record.raftAddress,
];

/**
 * Total order of what can be said of one node: a later epoch, then a later counter, then the worse
 * status wins (SWIM, 4.2). The texts only break ties between two processes of the same name.
 */
export function comparePrecedence(a: MemberRecord, b: MemberRecord): number {
  if (a.epoch !== b.epoch) return a.epoch - b.epoch;
  if (a.counter !== b.counter) return a.counter - b.counter;
  if (a.status !== b.status) return ranks[a.status] - ranks[b.status];
  const others = texts(b);
  for (const [index, text] of texts(a).entries()) {
    const other = others[index] ?? '';
    if (text !== other) return text < other ? -1 : 1;
  }
  return 0;
}

/**
 * What is true when both were said of the same node: the maximum of a total order, so a join
 * semilattice. In whichever order rumours arrive, all nodes end with the same record.
 */
export function merge(a: MemberRecord, b: MemberRecord): MemberRecord {
  return comparePrecedence(a, b) >= 0 ? a : b;
}
