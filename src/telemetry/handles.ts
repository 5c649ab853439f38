import { Counter, Gauge, Histogram } from 'prom-client';
import type { Registry } from 'prom-client';
import { assertNever } from '../shared/index.ts';
import type { MetricSpec } from './metric-table.ts';

/** Label values by position, as the table names them. */
export interface GaugeHandle<Labels extends readonly string[]> {
  set(value: number, ...labels: Labels): void;
  /** Forgets all label values: before setting those that are still there. */
  reset(): void;
}

export interface CounterHandle<Labels extends readonly string[]> {
  /** `amount` defaults to 1. */
  inc(...labels: Labels): void;
  add(amount: number, ...labels: Labels): void;
}

export interface HistogramHandle<Labels extends readonly string[]> {
  observe(value: number, ...labels: Labels): void;
}

type ValuesOf<Names> = Names extends readonly string[]
  ? { readonly [I in keyof Names]: string }
  : [];
type LabelsOf<Spec> = Spec extends { readonly labels: infer Names } ? ValuesOf<Names> : [];

/** What the code holds for one row of the table. */
export type HandleOf<Spec extends MetricSpec> = Spec['kind'] extends 'gauge'
  ? GaugeHandle<LabelsOf<Spec>>
  : Spec['kind'] extends 'counter'
    ? CounterHandle<LabelsOf<Spec>>
    : HistogramHandle<LabelsOf<Spec>>;

type AnyHandle =
  | GaugeHandle<readonly string[]>
  | CounterHandle<readonly string[]>
  | HistogramHandle<readonly string[]>;

/** Registers the metric and returns its handle. */
export function createHandle(spec: MetricSpec, registry: Registry): AnyHandle {
  const { kind, name, help, labels = [], buckets = [] } = spec;
  const common = { name, help, labelNames: labels, registers: [registry] };
  switch (kind) {
    case 'gauge':
      return gauge(new Gauge(common), labels.length);
    case 'counter':
      return counter(new Counter(common), labels.length);
    case 'histogram':
      return histogram(new Histogram({ ...common, buckets: [...buckets] }), labels.length);
    default:
      return assertNever(kind);
  }
}

function gauge(metric: Gauge, labelCount: number): GaugeHandle<readonly string[]> {
  const series = seriesOf(metric, labelCount);
  return {
    set: (value, ...labels) => series.find(labels).set(value),
    reset: () => {
      metric.reset();
      series.forget();
    },
  };
}

function counter(metric: Counter, labelCount: number): CounterHandle<readonly string[]> {
  const series = seriesOf(metric, labelCount);
  return {
    inc: (...labels) => series.find(labels).inc(),
    add: (amount, ...labels) => series.find(labels).inc(amount),
  };
}

function histogram(metric: Histogram, labelCount: number): HistogramHandle<readonly string[]> {
  const series = seriesOf(metric, labelCount);
  return { observe: (value, ...labels) => series.find(labels).observe(value) };
}

/** Label values per metric; further ones are counted as `other`. */
const seriesMax = 500;

/** Remembers the series by its labels: prom-client alone hashes them for every observation. */
function seriesOf<Series>(
  metric: { labels(...values: string[]): Series } & Series,
  labelCount: number,
): { find(labels: readonly string[]): Series; forget(): void } {
  const known = new Map<string, Series>();
  const find = (labels: readonly string[]): Series => {
    if (labelCount === 0) return metric;
    const key = labels.length === 1 ? (labels[0] ?? '') : labels.join('\n');
    const found = known.get(key);
    if (found) return found;
    const isFull = known.size >= seriesMax;
    const values = isFull ? labels.map(() => 'other') : labels;
    const created = metric.labels(...values);
    if (!isFull) known.set(key, created);
    return created;
  };
  return { find, forget: () => known.clear() };
}
