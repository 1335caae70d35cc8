import type { Decision } from '../core/decision.ts';
import type { Exemplar } from './latency.ts';

/** What a worker process counted since it told the last time, and what its gauges say now: a structured clone is the same. */
export interface MetricsExport {
  readonly latency: LatencyExport;
  readonly decisions: SeriesExport;
  readonly wouldDeny: SeriesExport;
  /** Of all other families. */
  readonly registry: RegistryExport;
}

export interface RegistryExport {
  /** What counters and histograms rose by. */
  readonly counts: readonly SampleExport[];
  readonly gauges: readonly SampleExport[];
}

export type LatencyExport = Readonly<Record<Decision['outcome'], DistributionExport>>;

export interface DistributionExport {
  /** One for each bound and one above the last; not cumulative. */
  readonly counts: Float64Array;
  readonly sumS: number;
  /** By bucket: the newest, where it is another one than was told. */
  readonly exemplars: readonly (Exemplar | undefined)[];
}

/** Counts by policy and reason; in two values, for a clone of many objects takes long. */
export interface SeriesExport {
  /** Values of the label `policy`, a line each. */
  readonly policies: string;
  /** Three numbers for each: its line above, the number of its reason, what it rose by. */
  readonly cells: Float64Array;
}

export interface SampleExport {
  /** Name of the family, as registered. */
  readonly family: string;
  /** The same with the suffix of the sample. */
  readonly name: string;
  readonly labels: Readonly<Record<string, string | number>>;
  readonly value: number;
}
