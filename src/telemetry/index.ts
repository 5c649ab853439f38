export type { CounterHandle, GaugeHandle, HistogramHandle } from './handles.ts';
export { createLogger } from './logger.ts';
export type { LoggerInit, LogLevel } from './logger.ts';
export { metricTable } from './metric-table.ts';
export { createMetrics } from './metrics.ts';
export type { HttpMetricsPart, MetricHandles, Metrics, MetricsInit } from './metrics.ts';
