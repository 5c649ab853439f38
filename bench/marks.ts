import {
  bigMemoryName,
  bigRestartName,
  failoverName,
  failoverP50Name,
  failoverP99Name,
  idleMemoryName,
  loadName,
  snapshotLatencyName,
  snapshotMemoryName,
  soakElectionsName,
  soakGrowthName,
} from './figures.ts';
import type { Figure } from './figures.ts';

/** What is to be reached: by itself, or as a multiple of what etcd does in the same run. */
interface Mark {
  readonly measure: string;
  readonly timesEtcd?: true;
  readonly atLeast?: number;
  readonly below?: number;
}

const marks: readonly Mark[] = [
  { measure: loadName('write', 1), atLeast: 600 },
  { measure: loadName('write', 256), atLeast: 6000 },
  { measure: loadName('linearizable read', 64), atLeast: 8000 },
  { measure: failoverName, below: 1500 },
  { measure: idleMemoryName, below: 150 },
  { measure: loadName('write', 1), timesEtcd: true, atLeast: 1.2 },
  { measure: loadName('write', 16), timesEtcd: true, atLeast: 2 },
  { measure: loadName('write', 64), timesEtcd: true, atLeast: 2 },
  { measure: loadName('write', 256), timesEtcd: true, atLeast: 2 },
  { measure: loadName('linearizable read', 1), timesEtcd: true, atLeast: 1.7 },
  { measure: loadName('linearizable read', 64), timesEtcd: true, atLeast: 2.5 },
  { measure: failoverP50Name, below: 500 },
  { measure: failoverP99Name, below: 1000 },
  { measure: soakElectionsName, below: 1 },
  { measure: soakGrowthName, below: 10 },
  { measure: bigMemoryName, below: 700 },
  { measure: bigRestartName, below: 10 },
  { measure: snapshotMemoryName, below: 200 },
  { measure: snapshotLatencyName, below: 2 },
];

export interface Verdict {
  readonly measure: string;
  readonly mark: string;
  readonly measured: string;
  readonly reached: boolean;
  /** `yes` or `missed by x`. */
  readonly text: string;
}

/** Of the marks whose figures are there. */
export function judge(figures: readonly Figure[], system: string): Verdict[] {
  return marks.flatMap((mark) => {
    const own = valueOf(figures, mark.measure, system);
    const base = mark.timesEtcd ? valueOf(figures, mark.measure, 'etcd') : 1;
    return own === null || base === null ? [] : [verdictOf(mark, own / base)];
  });
}

function verdictOf(mark: Mark, value: number): Verdict {
  const { measure, atLeast, below, timesEtcd } = mark;
  const show = (one: number): string => (timesEtcd ? `${one.toFixed(2)} x etcd` : shown(one));
  const missed =
    atLeast === undefined ? value - (below ?? Infinity) : Math.max(0, atLeast - value) || -1;
  const reached = missed < 0;
  return {
    measure,
    mark: atLeast === undefined ? `below ${show(below ?? 0)}` : `at least ${show(atLeast)}`,
    measured: show(value),
    reached,
    text: reached ? 'yes' : `missed by ${show(missed)}`,
  };
}

const valueOf = (figures: readonly Figure[], measure: string, system: string): number | null =>
  figures.find((one) => one.measure === measure && one.system === system)?.median ?? null;

/** Rounded to what means something. */
export const shown = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
