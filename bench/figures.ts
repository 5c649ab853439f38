import { median } from './statistics.ts';

/** What can be measured; loads are named by `loadName`. */
export const failoverName = 'failover, ms';
export const failoverP50Name = 'failover p50, ms';
export const failoverP99Name = 'failover p99, ms';
export const soakElectionsName = 'elections while followers stall in turn';
export const soakGrowthName = 'growth of memory under load, %';
export const bigMemoryName = 'memory of a node with a million keys, MB';
export const bigRestartName = 'restart with a million keys, s';
export const snapshotMemoryName = 'memory more while a snapshot is sent, MB';
export const snapshotLatencyName = 'write p99 while a snapshot is sent, times before';
export const idleMemoryName = 'memory of an idle node, MB';
export const loadedMemoryName = 'memory of a node after the loads, MB';

export const loadName = (kind: string, connections: number): string =>
  `${kind}s/s at ${connections}`;

/** One measure of one system over all rounds. */
export interface Figure {
  readonly measure: string;
  readonly system: string;
  readonly rounds: readonly number[];
  readonly median: number;
  /** Medians over the rounds; null where nothing is asked many times. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  /** Processor time of all servers together for one request, in microseconds; null as above. */
  readonly cpuUs: number | null;
  /** Requests that failed while it was measured. */
  readonly failures: number;
}

interface Sample {
  readonly value: number;
  readonly p50Ms?: number;
  readonly p99Ms?: number;
  readonly cpuUs?: number;
  readonly failures?: number;
}

/** Collects samples in the order in which they are shown. */
export class Figures {
  readonly #samples = new Map<string, Map<string, Sample[]>>();

  add(measure: string, system: string, sample: Sample): void {
    const bySystem = this.#samples.get(measure) ?? new Map<string, Sample[]>();
    this.#samples.set(measure, bySystem);
    bySystem.set(system, [...(bySystem.get(system) ?? []), sample]);
  }

  valuesOf(measure: string, system: string): readonly number[] {
    return (this.#samples.get(measure)?.get(system) ?? []).map(({ value }) => value);
  }

  all(): Figure[] {
    return [...this.#samples].flatMap(([measure, bySystem]) =>
      [...bySystem].map(([system, samples]) => figureOf(measure, system, samples)),
    );
  }
}

function figureOf(measure: string, system: string, samples: readonly Sample[]): Figure {
  const medianOf = (name: 'p50Ms' | 'p99Ms' | 'cpuUs'): number | null => {
    const values = samples.flatMap((one) => one[name] ?? []);
    return values.length === 0 ? null : median(values);
  };
  const rounds = samples.map(({ value }) => value);
  const failures = samples.reduce((sum, one) => sum + (one.failures ?? 0), 0);
  return {
    ...{ measure, system, rounds, median: median(rounds) },
    ...{ p50Ms: medianOf('p50Ms'), p99Ms: medianOf('p99Ms'), cpuUs: medianOf('cpuUs'), failures },
  };
}
