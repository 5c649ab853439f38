import { monitorEventLoopDelay } from 'node:perf_hooks';
import { collectDefaultMetrics, Registry } from 'prom-client';
import { createHandle } from './handles.ts';
import type { HandleOf } from './handles.ts';
import { metricTable } from './metric-table.ts';
import type { MetricTable } from './metric-table.ts';

/** One typed handle per row of the table. */
export type MetricHandles = {
  readonly [Key in keyof MetricTable]: HandleOf<MetricTable[Key]>;
};

/** What an HTTP server needs: counting its requests and showing everything. */
export interface HttpMetricsPart {
  /** `route` must be one of a fixed set. */
  observeRequest(route: string, status: number, seconds: number): void;
  readonly contentType: string;
  /** The page that Prometheus reads. */
  render(): Promise<string>;
}

export interface Metrics extends MetricHandles {
  readonly http: HttpMetricsPart;
  /** `update` sets gauges right before each scrape, so that hot paths need not. */
  onScrape(update: () => void): void;
  /** Ends the measuring of the event loop. */
  close(): void;
}

export interface MetricsInit {
  readonly version: string;
  readonly node: string;
}

const lagResolutionMs = 20;
const nanosecondsPerSecond = 1e9;

/** A registry of its own with our metrics and the usual ones of a Node process. */
export function createMetrics({ version, node }: MetricsInit): Metrics {
  const registry = new Registry();
  collectDefaultMetrics({ register: registry });
  const handles = createHandles(registry);
  const updates: (() => void)[] = [];
  const lag = monitorEventLoopDelay({ resolution: lagResolutionMs });
  lag.enable();
  handles.buildInfo.set(1, version, node);
  const render = (): Promise<string> => {
    handles.eventLoopLagSeconds.set(lagSeconds(lag.max));
    lag.reset();
    for (const update of updates) update();
    return registry.metrics();
  };
  return {
    ...handles,
    http: { ...requestObserver(handles), contentType: registry.contentType, render },
    onScrape: (update) => void updates.push(update),
    close: () => void lag.disable(),
  };
}

function createHandles(registry: Registry): MetricHandles {
  const entries = Object.entries(metricTable).map(([key, spec]) => [
    key,
    createHandle(spec, registry),
  ]);
  return Object.fromEntries(entries) as MetricHandles;
}

/** The histogram counts timer ticks: what exceeds its resolution is lag. */
function lagSeconds(maxNanoseconds: number): number {
  return Math.max(0, maxNanoseconds / nanosecondsPerSecond - lagResolutionMs / 1000);
}

function requestObserver({ httpRequests, httpSeconds }: MetricHandles) {
  return {
    observeRequest: (route: string, status: number, seconds: number): void => {
      httpRequests.inc(route, String(status));
      httpSeconds.observe(seconds, route);
    },
  };
}
