/** What happened in a simulation, to show that it was one. */
export interface Counts {
  elections: number;
  truncations: number;
  compactions: number;
  installs: number;
  crashes: number;
  kills: number;
  stops: number;
  restarts: number;
  pauses: number;
  partitions: number;
  diskFaults: number;
  memberChanges: number;
  replacements: number;
  writesAcked: number;
  writesUnknown: number;
  writesRefused: number;
  readsAnswered: number;
  readsRefused: number;
  committed: number;
}

export const noCounts = (): Counts => ({
  elections: 0,
  truncations: 0,
  compactions: 0,
  installs: 0,
  crashes: 0,
  kills: 0,
  stops: 0,
  restarts: 0,
  pauses: 0,
  partitions: 0,
  diskFaults: 0,
  memberChanges: 0,
  replacements: 0,
  writesAcked: 0,
  writesUnknown: 0,
  writesRefused: 0,
  readsAnswered: 0,
  readsRefused: 0,
  committed: 0,
});

export function addCounts(into: Counts, more: Counts): void {
  for (const name of Object.keys(into) as (keyof Counts)[]) into[name] += more[name];
}
