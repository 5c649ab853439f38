import { parseArgs } from 'node:util';
import { addCounts, addFaults, noCounts } from '../support/sim/counts.ts';
import type { FaultCounts } from '../support/sim/counts.ts';
import { profileNames } from '../support/sim/profile.ts';
import { seedReportOf } from '../support/sim/seed-report.ts';
import type { Request, SeedReport } from '../support/sim/seed-report.ts';
import { runInWorkers } from '../support/sim/seed-workers.ts';
import { simulate } from '../support/sim/simulation.ts';

/**
 * Runs simulations: `npm run sim -- --seeds=100 --from=1 --profile=general --jobs=2`. Each seed is
 * one cluster, one storm and one recovery in virtual time; one that was too short, or in which too
 * little was answered, is void: it does not count towards --seeds being a proof. Ends with 1 when a
 * seed failed, after saying how to run it again, or when all were void.
 */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '20' },
    from: { type: 'string', default: '1' },
    /** general, network, disk, members or mixed. */
    profile: { type: 'string', default: 'general' },
    /** Processes that work at the same time. */
    jobs: { type: 'string', default: '1' },
    /** Lines of the trace that a failure shows. */
    lines: { type: 'string', default: '80' },
    /** Goes on after a failure. */
    all: { type: 'boolean', default: false },
    /** Says nothing about seeds that went well. */
    quiet: { type: 'boolean', default: false },
  },
});

function count(name: 'seeds' | 'from' | 'jobs' | 'lines'): number {
  const number = Number(values[name]);
  if (Number.isSafeInteger(number) && number > 0) return number;
  throw new Error(`Cannot use --${name} as a number from 1 on: ${values[name]}`);
}

function requests(): readonly Request[] {
  const profile = profileNames.find((name) => name === values.profile);
  if (profile === undefined) {
    throw new Error(`Cannot use --profile as one of ${profileNames.join()}: ${values.profile}`);
  }
  const [from, lines] = [count('from'), count('lines')];
  return Array.from({ length: count('seeds') }, (_, i) => ({ seed: from + i, profile, lines }));
}

const total = noCounts();
const faults: FaultCounts = new Map();
const failed: number[] = [];
const voids: number[] = [];
let [seeds, virtualMs] = [0, 0];

/** Returns whether to go on. */
function take(report: SeedReport): boolean {
  seeds++;
  virtualMs += report.virtualMs;
  addCounts(total, report.counts);
  addFaults(faults, new Map(report.faults));
  if (!values.quiet || report.failure !== null || report.isVoid) console.log(report.line);
  if (report.failure === null) {
    if (report.isVoid) voids.push(report.seed);
    return true;
  }
  failed.push(report.seed);
  console.log(report.failure);
  return values.all;
}

async function runHere(): Promise<void> {
  for (const { seed, profile, lines } of requests()) {
    if (!take(seedReportOf(await simulate(seed, profile), lines))) return;
  }
}

const table = (title: string, rows: readonly (readonly [string, number])[]): string =>
  [title, ...rows.map(([name, value]) => `  ${name.padEnd(18)}${String(value).padStart(10)}`)].join(
    '\n',
  );

function summary(startedMs: number): string {
  const seconds = (Date.now() - startedMs) / 1000;
  const byName = [...faults].sort(([a], [b]) => a.localeCompare(b));
  return [
    table('What happened', Object.entries(total)),
    table('Faults', byName),
    `${seeds} seeds of profile ${values.profile} in ${seconds.toFixed(1)} s: ` +
      `${(seeds / seconds).toFixed(2)} seeds/s, ${(virtualMs / 3_600_000).toFixed(2)} h virtual`,
    `void: ${voids.length}${voids.length === 0 ? '' : ` (${voids.join(', ')})`}`,
    `failed: ${failed.length}${failed.length === 0 ? '' : ` (${failed.join(', ')})`}`,
  ].join('\n');
}

const startedMs = Date.now();
const jobs = count('jobs');
if (jobs === 1) await runHere();
else await runInWorkers({ jobs, requests: requests(), onReport: take });
console.log(summary(startedMs));
// Where every seed is void nothing was shown.
process.exitCode = failed.length === 0 && voids.length < seeds ? 0 : 1;
