import type { METRICS, MetricName } from '../../../internal/telemetry/metric-table.ts';

type HistogramName = {
  [Name in MetricName]: (typeof METRICS)[Name]['type'] extends 'histogram' ? Name : never;
}[MetricName];

/** Names that a query may ask for and that are not in the table of metrics: Prometheus' own, and Node's. */
export const FOREIGN = [
  'up',
  'process_start_time_seconds',
  'process_cpu_seconds_total',
  'process_resident_memory_bytes',
  'nodejs_heap_size_used_bytes',
  'nodejs_eventloop_lag_p99_seconds',
] as const;

export type SeriesName = MetricName | `${HistogramName}_${'bucket' | 'sum' | 'count'}` | (typeof FOREIGN)[number];

/** Writes a selector of PromQL: a name, its matchers as they are written there, and those of a scope before them. */
export type Select = (name: SeriesName, ...matchers: readonly string[]) => string;

/** @param scope matchers that every selector begins with */
export const within =
  (scope: string): Select =>
  (name, ...matchers) =>
    `${name}{${[scope, ...matchers].join(',')}}`;
