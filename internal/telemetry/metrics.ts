import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { Decision } from '../core/decision.ts';
import { DecisionSeries } from './decision-series.ts';
import { type Family, type Format, headOf, sampleLine } from './exposition.ts';
import { Latency } from './latency.ts';
import {
  BUILD_BUCKETS,
  CHECK_BUCKETS,
  type CounterName,
  type GaugeName,
  type LabelValue,
  METRICS,
  type MetricName,
  type MetricRow,
} from './metric-table.ts';
import type { MetricsExport } from './metrics-export.ts';
import { type LoadedPolicies, PolicyRows } from './policy-rows.ts';
import { familyOf as familyOfRegistry, type RegistryFamily, ToldSamples, WorkerSamples } from './worker-samples.ts';

export interface MetricsOptions {
  readonly version: string;
  /** Also Node's own metrics (event loop, heap, collections, CPU); off in tests that start many instances. */
  readonly process?: boolean;
  readonly maxSeries?: number;
  /** Policies come from files: what only a cluster gives is left out. */
  readonly isStandalone?: boolean;
  /** Of the main process of several: what it scrapes is of all of them. */
  readonly hasWorkers?: boolean;
}

const HOT: ReadonlySet<string> = new Set([
  'postern_check_duration_seconds',
  'postern_decisions_total',
  'postern_would_deny_total',
]);

/**
 * The metrics of one instance, in a registry of its own. What every check counts is kept as plain numbers; the rest is
 * prom-client's. Labels are closed sets: nothing a client sends can add a series.
 */
export class Metrics {
  readonly #registry = new Registry();
  readonly #counters = new Map<MetricName, Counter<string>>();
  readonly #gauges = new Map<MetricName, Gauge<string>>();
  readonly #builds: Histogram<string>;
  readonly #readings: Reading[] = [];
  readonly #latency = new Latency(familyOf('postern_check_duration_seconds'), CHECK_BUCKETS);
  /** What both families below count by. */
  readonly #policies = new PolicyRows(2);
  readonly #decisions: DecisionSeries;
  readonly #wouldDeny: DecisionSeries;
  readonly #told = new ToldSamples();
  readonly #ofWorkers = new WorkerSamples();
  #beforeScrape: (() => Promise<unknown>) | undefined;
  /** Checks begun and not finished; both doors count here. */
  inFlight = 0;

  constructor(options: MetricsOptions) {
    const shared = { rows: this.#policies, maxSeries: options.maxSeries };
    this.#decisions = new DecisionSeries(familyOf('postern_decisions_total'), {
      ...shared,
      slot: 0,
      hasDecision: true,
    });
    this.#wouldDeny = new DecisionSeries(familyOf('postern_would_deny_total'), {
      ...shared,
      slot: 1,
      hasDecision: false,
    });
    this.#builds = new Histogram({
      ...this.#definition('postern_snapshot_build_duration_seconds'),
      buckets: [...BUILD_BUCKETS],
    });
    for (const [name, { isOfCluster, isOfWorkers }] of Object.entries(METRICS) as [MetricName, MetricRow][]) {
      if (!(options.isStandalone && isOfCluster) && (options.hasWorkers || !isOfWorkers)) this.#register(name);
    }
    this.#gauges.get('postern_build_info')?.set({ version: options.version, node: process.versions.node }, 1);
    this.read('postern_checks_in_flight', () => this.inFlight);
    if (options.process !== false) collectDefaultMetrics({ register: this.#registry });
  }

  /** Counts a finished check. On the path of every check: no objects, no label look-ups. */
  observeCheck(decision: Decision, durationS: number, traceId: string | undefined): void {
    this.#latency.observe(decision.outcome, durationS, traceId);
    this.#decisions.count(decision.policy, decision.reason);
    for (const finding of decision.findings) {
      if (finding.outcome === 'would-deny') this.#wouldDeny.count(decision.policy, finding.reason);
    }
  }

  /** The policies of the snapshot that is served now: closes the values of the label `policy`. */
  setPolicies(loaded: LoadedPolicies): void {
    const gone = this.#policies.setPolicies(loaded);
    this.#decisions.forget(gone);
    this.#wouldDeny.forget(gone);
    this.#decisions.admit();
    this.#wouldDeny.admit();
  }

  /** Counts what happens seldom. */
  count<Name extends CounterName>(name: Name, label?: LabelValue<Name>, by = 1): void {
    this.#counters.get(name)?.inc(labelsOf(name, label), by);
  }

  /** Sets a gauge that is pushed. */
  set<Name extends GaugeName>(name: Name, value: number, label?: LabelValue<Name>): void {
    this.#gauges.get(name)?.set(labelsOf(name, label), value);
  }

  /** Reads a gauge, or a counter kept elsewhere that never goes back, at each scrape; undefined leaves it out. */
  read<Name extends GaugeName | CounterName>(
    name: Name,
    value: () => number | undefined,
    label?: LabelValue<Name>,
  ): void {
    this.#readings.push({ name, value, labels: labelsOf(name, label), last: 0 });
  }

  snapshotBuilt(result: 'success' | 'failure', durationS: number): void {
    this.count('postern_snapshot_builds_total', result);
    this.#builds.observe(durationS);
  }

  /**
   * What a worker counted since its last export, and what its gauges say: for the main process, which adds up what comes.
   * Each export is absorbed once; what was counted since the last one goes with the worker.
   */
  async export(): Promise<MetricsExport> {
    const decisions = await this.#decisions.export();
    const wouldDeny = await this.#wouldDeny.export();
    return { latency: this.#latency.export(), decisions, wouldDeny, registry: this.#told.tell(await this.#families()) };
  }

  /**
   * Adds what a worker tells, whenever it comes: what it counted stays, so that no counter goes back when it ends.
   *
   * @param worker one number for each process; one that was replaced by another has another
   */
  async absorb(worker: number, { latency, decisions, wouldDeny, registry }: MetricsExport): Promise<void> {
    this.#latency.absorb(latency);
    this.#ofWorkers.absorb(worker, registry);
    await this.#decisions.absorb(decisions);
    await this.#wouldDeny.absorb(wouldDeny);
  }

  /** A worker is no more: so are its gauges. */
  workerEnded(worker: number): void {
    this.#ofWorkers.ended(worker);
  }

  /** Before each scrape this is waited for: workers are asked then for what they counted. */
  beforeScrape(ask: () => Promise<unknown>): void {
    this.#beforeScrape = ask;
  }

  /** The scrape, in pieces; other work gets its turn between them. */
  async *scrape(format: Format): AsyncGenerator<string> {
    // What cannot be had of workers is not a reason to tell nothing.
    await this.#beforeScrape?.().catch(() => undefined);
    yield this.#latency.scrape(format);
    yield* this.#decisions.scrape(format);
    yield* this.#wouldDeny.scrape(format);
    yield await this.#scrapeRegistry(format);
    if (format === 'openmetrics') yield '# EOF\n';
  }

  /** prom-client's own OpenMetrics writer renames the counters it has written, so both forms are written here. */
  async #scrapeRegistry(format: Format): Promise<string> {
    let text = '';
    for (const family of await this.#families()) {
      text += headOf(family, format);
      for (const sample of this.#ofWorkers.together(family)) text += sampleLine(sample);
    }
    return text;
  }

  async #families(): Promise<RegistryFamily[]> {
    for (const reading of this.#readings) this.#take(reading);
    return (await this.#registry.getMetricsAsJSON()).map(familyOfRegistry);
  }

  #take(reading: Reading): void {
    const value = reading.value();
    const counter = this.#counters.get(reading.name);
    if (counter === undefined) {
      const gauge = this.#gauges.get(reading.name);
      if (value === undefined) gauge?.remove(reading.labels);
      else gauge?.set(reading.labels, value);
      return;
    }
    if (value === undefined || value <= reading.last) return;
    counter.inc(reading.labels, value - reading.last);
    reading.last = value;
  }

  #register(name: MetricName): void {
    const { type, labels } = METRICS[name];
    if (HOT.has(name) || type === 'histogram') return;
    if (type === 'gauge') {
      this.#gauges.set(name, new Gauge(this.#definition(name)));
      return;
    }
    const counter = new Counter(this.#definition(name));
    this.#counters.set(name, counter);
    const [label, values] = Object.entries(labels)[0] ?? [];
    if (label === undefined || !Array.isArray(values)) return;
    for (const value of values as readonly string[]) counter.inc({ [label]: value }, 0);
  }

  #definition(name: MetricName) {
    const { help, labels } = METRICS[name];
    return { name, help, labelNames: Object.keys(labels), registers: [this.#registry] };
  }
}

type Sampled = Record<string, string | number>;

interface Reading {
  readonly name: MetricName;
  readonly value: () => number | undefined;
  readonly labels: Sampled;
  /** What a counter's source said at the scrape before. */
  last: number;
}

function familyOf(name: MetricName): Family {
  const { help, type } = METRICS[name];
  return { name, help, type };
}

function labelsOf(name: MetricName, value: unknown): Sampled {
  const label = Object.keys(METRICS[name].labels)[0];
  return label === undefined || typeof value !== 'string' ? {} : { [label]: value };
}
