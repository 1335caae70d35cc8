// The families of prom-client's registry, over several processes.
import type { MetricObjectWithValues, MetricValue } from 'prom-client';
import { labelText, type Sample } from './exposition.ts';
import { METRICS, type MetricRow, type Together } from './metric-table.ts';
import type { RegistryExport, SampleExport } from './metrics-export.ts';

/** A family as the registry gives it. */
export interface RegistryFamily {
  readonly name: string;
  readonly help: string;
  readonly type: string;
  readonly together: Together;
  readonly samples: readonly Sample[];
}

const TABLE: Readonly<Record<string, MetricRow>> = METRICS;
/** What prom-client says of Node's own metrics. An average of delays would hide the one process that is slow. */
const BY_AGGREGATOR: Readonly<Record<string, Together>> = { sum: 'sum', max: 'max', min: 'min', average: 'max' };

export function familyOf(given: MetricObjectWithValues<MetricValue<string>>): RegistryFamily {
  const { name, help, aggregator } = given;
  const type = String(given.type);
  const own = TABLE[name];
  const byDefault = type === 'gauge' ? 'main' : 'sum';
  const together = own === undefined ? (BY_AGGREGATOR[aggregator] ?? 'main') : (own.together ?? byDefault);
  const values = given.values as { metricName?: string; labels: Sample['labels']; value: number }[];
  const samples = values.map(({ metricName, labels, value }) => ({ name: metricName ?? name, labels, value }));
  return { name, help, type, together, samples };
}

const keyOf = ({ name, labels }: Pick<Sample, 'name' | 'labels'>): string => name + labelText(labels);

/** What a worker tells of its registry. */
export class ToldSamples {
  /** Of counters and histograms, what was told already. */
  readonly #told = new Map<string, number>();

  /** What they rose by since the last time, and what gauges say. */
  tell(families: Iterable<RegistryFamily>): RegistryExport {
    const counts: SampleExport[] = [];
    const gauges: SampleExport[] = [];
    for (const { name: family, type, together, samples } of families) {
      if (together === 'main') continue;
      for (const sample of samples) {
        const rise = type === 'gauge' ? 0 : this.#riseOf(sample);
        if (type === 'gauge') gauges.push({ family, ...sample });
        else if (rise > 0) counts.push({ family, ...sample, value: rise });
      }
    }
    return { counts, gauges };
  }

  #riseOf(sample: Sample): number {
    const key = keyOf(sample);
    const before = this.#told.get(key) ?? 0;
    this.#told.set(key, sample.value);
    return sample.value - before;
  }
}

type Samples = Map<string, Sample>;

/** What workers told of their registries, for the page of the main process. What one counted stays when it has ended. */
export class WorkerSamples {
  /** By family: all that counters and histograms of workers came to. */
  readonly #counts = new Map<string, Samples>();
  /** By worker, then by family: what its gauges said last. */
  readonly #gauges = new Map<number, ReadonlyMap<string, readonly Sample[]>>();

  absorb(worker: number, { counts, gauges }: RegistryExport): void {
    for (const sample of counts) this.#count(sample);
    this.#gauges.set(
      worker,
      Map.groupBy(gauges, ({ family }) => family),
    );
  }

  /** Its gauges say nothing any more. */
  ended(worker: number): void {
    this.#gauges.delete(worker);
  }

  /** A family with what workers told of it: its own samples first, in their order. */
  together({ name, type, together, samples }: RegistryFamily): Iterable<Sample> {
    if (together === 'main') return samples;
    const others = [...(type === 'gauge' ? this.#gaugesOf(name) : (this.#counts.get(name)?.values() ?? []))];
    if (others.length === 0) return samples;
    const merged: Samples = new Map();
    for (const sample of samples) merged.set(keyOf(sample), together === 'workers' ? { ...sample, value: 0 } : sample);
    for (const sample of others) {
      const key = keyOf(sample);
      const before = merged.get(key);
      merged.set(
        key,
        before === undefined ? sample : { ...before, value: oneOf(together, before.value, sample.value) },
      );
    }
    return merged.values();
  }

  #gaugesOf(family: string): readonly Sample[] {
    return [...this.#gauges.values()].flatMap((gauges) => gauges.get(family) ?? []);
  }

  #count({ family, ...sample }: SampleExport): void {
    let counts = this.#counts.get(family);
    if (counts === undefined) {
      counts = new Map();
      this.#counts.set(family, counts);
    }
    const key = keyOf(sample);
    counts.set(key, { ...sample, value: (counts.get(key)?.value ?? 0) + sample.value });
  }
}

/** A process that has nothing to say yet is not asked. */
function oneOf(together: Together, one: number, other: number): number {
  if (!Number.isFinite(one)) return other;
  if (!Number.isFinite(other)) return one;
  if (together === 'max') return Math.max(one, other);
  return together === 'min' ? Math.min(one, other) : one + other;
}
