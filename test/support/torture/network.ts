import type { DaemonPorts } from '../e2e/index.ts';

/** Packets from one node to another; nodes count from 1. Losing them is a cut in one direction. */
export interface Link {
  readonly from: number;
  readonly to: number;
}

/** Where a node of the cluster lives. */
export interface Place {
  readonly host: string;
  readonly ports: DaemonPorts;
  /** What the others dial for Raft. */
  readonly raft: string;
  readonly wrapper: readonly string[];
  readonly flags: readonly string[];
}

/** What lies between the nodes. This process reaches all of them at all times. */
export interface Network {
  /** For people: by what links are cut. */
  readonly means: string;
  /** An address of this process that all nodes reach at all times. */
  readonly ownHost: string;
  readonly places: readonly Place[];
  /** From now on exactly these links lose all that they carry. */
  cut(links: readonly Link[]): Promise<void>;
  close(): Promise<void>;
}

export const linkName = ({ from, to }: Link): string => `${from}>${to}`;

/** Both directions. */
export const mutual = (a: number, b: number): Link[] => [
  { from: a, to: b },
  { from: b, to: a },
];

/** All that goes from one group to the other. */
export const fromTo = (from: readonly number[], to: readonly number[]): Link[] =>
  from.flatMap((a) => to.map((b) => ({ from: a, to: b })));

/** Both directions between the groups. */
export const apart = (some: readonly number[], others: readonly number[]): Link[] => [
  ...fromTo(some, others),
  ...fromTo(others, some),
];
