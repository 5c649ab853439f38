import { acknowledgedOf } from './counts.ts';
import type { Counts } from './counts.ts';
import type { Fault } from './profile.ts';
import type { SimulationReport } from './simulation.ts';

/** What a worker tells of one seed: plain data. */
export interface SeedReport {
  readonly seed: number;
  readonly line: string;
  readonly virtualMs: number;
  readonly counts: Counts;
  readonly faults: readonly (readonly [Fault, number])[];
  readonly isVoid: boolean;
  /** What a person needs to know of a failure; null: all went well. */
  readonly failure: string | null;
}

export interface Request {
  readonly seed: number;
  readonly profile: SimulationReport['profile']['name'];
  /** Lines of the trace that a failure shows. */
  readonly lines: number;
}

export function seedReportOf(report: SimulationReport, lines: number): SeedReport {
  const { seed, virtualMs, counts, faults, isVoid, failure } = report;
  return {
    ...{ seed, virtualMs, counts, isVoid },
    faults: [...faults],
    line: lineOf(report),
    failure: failure === null ? null : failureText(report, failure, lines),
  };
}

function lineOf({
  seed,
  virtualMs,
  events,
  traceHash,
  counts,
  profile,
  isVoid,
}: SimulationReport): string {
  const { elections, truncations, installs, configurations } = counts;
  return (
    `seed ${seed}: ${profile.nodeCount} nodes, ${(virtualMs / 1000).toFixed(1)} s virtual, ` +
    `${events} events, ${acknowledgedOf(counts)} acknowledged, elections ${elections}, ` +
    `truncations ${truncations}, installs ${installs}, configurations ${configurations}, ` +
    `trace ${traceHash}${isVoid ? ', VOID: too little happened' : ''}`
  );
}

/** The newest lines of the trace: virtual milliseconds, node, what it did. */
function failureText(
  { seed, profile, tail }: SimulationReport,
  failure: Error,
  lines: number,
): string {
  const because = failure.cause instanceof Error ? `\nbecause of ${failure.cause.stack ?? ''}` : '';
  return (
    `${tail(lines).join('\n')}\n` +
    `FAILED seed ${seed}: ${failure.stack ?? failure.message}${because}\n` +
    `Again: npm run sim -- --seeds=1 --from=${seed} --profile=${profile.name} --lines=400`
  );
}
