import type { Fault } from './profile.ts';

/** What happened in a simulation, to show that it was one. */
export interface Counts {
  /** Nodes that asked for votes, if only for trial. */
  campaigns: number;
  elections: number;
  /** Writes that replaced entries which were durable. */
  truncations: number;
  compactions: number;
  installs: number;
  /** Committed configurations, those that only begin a joint change too. */
  configurations: number;
  jointChanges: number;
  transfers: number;
  restarts: number;
  /** Nodes that came back as another incarnation because damage was found on their disk. */
  rebuilds: number;
  writesAcked: number;
  /** Requests of sessions that were asked for again after their answer. */
  repetitions: number;
  writesUnknown: number;
  writesRefused: number;
  readsAnswered: number;
  readsRefused: number;
  committed: number;
}

/** How often each fault hit. */
export type FaultCounts = Map<Fault, number>;

export const noCounts = (): Counts => ({
  campaigns: 0,
  elections: 0,
  truncations: 0,
  compactions: 0,
  installs: 0,
  configurations: 0,
  jointChanges: 0,
  transfers: 0,
  restarts: 0,
  rebuilds: 0,
  writesAcked: 0,
  repetitions: 0,
  writesUnknown: 0,
  writesRefused: 0,
  readsAnswered: 0,
  readsRefused: 0,
  committed: 0,
});

export function addCounts(into: Counts, more: Counts): void {
  for (const name of Object.keys(into) as (keyof Counts)[]) into[name] += more[name];
}

export function addFault(faults: FaultCounts, fault: Fault, count = 1): void {
  if (count > 0) faults.set(fault, (faults.get(fault) ?? 0) + count);
}

export function addFaults(into: FaultCounts, more: ReadonlyMap<Fault, number>): void {
  for (const [fault, count] of more) addFault(into, fault, count);
}

/** Requests that clients got a good answer to. */
export const acknowledgedOf = ({ writesAcked, readsAnswered }: Counts): number =>
  writesAcked + readsAnswered;
