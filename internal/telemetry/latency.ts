import type { Decision } from '../core/decision.ts';
import { type Family, type Format, headOf, numberText } from './exposition.ts';
import { OUTCOMES } from './metric-table.ts';
import type { DistributionExport, LatencyExport } from './metrics-export.ts';

export interface Exemplar {
  readonly traceId: string;
  readonly value: number;
}

interface Distribution {
  /** One count for each bound and one above the last; not cumulative. */
  readonly counts: Float64Array;
  readonly exemplars: (Exemplar | undefined)[];
  sumS: number;
  /** What `export` told of it already. */
  readonly told: { readonly counts: Float64Array; readonly exemplars: (Exemplar | undefined)[]; sumS: number };
}

/** The distribution of checks' durations by outcome: an observation is a comparison or two and two additions. */
export class Latency {
  readonly #family: Family;
  readonly #bounds: readonly number[];
  readonly #byOutcome: Readonly<Record<Decision['outcome'], Distribution>>;

  /** @param bounds upper bounds in seconds, ascending */
  constructor(family: Family, bounds: readonly number[]) {
    this.#family = family;
    this.#bounds = bounds;
    const buckets = bounds.length + 1;
    this.#byOutcome = { allow: emptyOf(buckets), deny: emptyOf(buckets), fault: emptyOf(buckets) };
  }

  /** @param traceId of a sampled span: becomes the bucket's exemplar */
  observe(outcome: Decision['outcome'], durationS: number, traceId: string | undefined): void {
    const bounds = this.#bounds;
    const value = Number.isNaN(durationS) ? 0 : Math.max(durationS, 0);
    let bucket = 0;
    while (bucket < bounds.length && value > (bounds[bucket] ?? 0)) bucket += 1;
    const distribution = this.#byOutcome[outcome];
    distribution.counts[bucket] = (distribution.counts[bucket] ?? 0) + 1;
    distribution.sumS += value;
    if (traceId !== undefined) distribution.exemplars[bucket] = { traceId, value };
  }

  /** What was observed since the last export. */
  export(): LatencyExport {
    const { allow, deny, fault } = this.#byOutcome;
    return { allow: exportOf(allow), deny: exportOf(deny), fault: exportOf(fault) };
  }

  /** Adds what another process observed. */
  absorb(exported: LatencyExport): void {
    for (const outcome of OUTCOMES) {
      const { counts, exemplars, sumS } = exported[outcome];
      const own = this.#byOutcome[outcome];
      for (const [bucket, count] of counts.entries()) own.counts[bucket] = (own.counts[bucket] ?? 0) + count;
      for (const [bucket, exemplar] of exemplars.entries())
        if (exemplar !== undefined) own.exemplars[bucket] = exemplar;
      own.sumS += sumS;
    }
  }

  scrape(format: Format): string {
    let text = headOf(this.#family, format);
    for (const outcome of OUTCOMES) text += this.#scrapeOne(outcome, format);
    return text;
  }

  #scrapeOne(outcome: Decision['outcome'], format: Format): string {
    const { name } = this.#family;
    const { counts, exemplars, sumS } = this.#byOutcome[outcome];
    let text = '';
    let cumulative = 0;
    for (const [bucket, count] of counts.entries()) {
      cumulative += count;
      const bound = numberText(this.#bounds[bucket] ?? Number.POSITIVE_INFINITY);
      const exemplar = format === 'openmetrics' ? exemplars[bucket] : undefined;
      const tail = exemplar === undefined ? '' : ` # {trace_id="${exemplar.traceId}"} ${exemplar.value}`;
      text += `${name}_bucket{decision="${outcome}",le="${bound}"} ${cumulative}${tail}\n`;
    }
    return `${text}${name}_sum{decision="${outcome}"} ${sumS}\n${name}_count{decision="${outcome}"} ${cumulative}\n`;
  }
}

const emptyOf = (buckets: number): Distribution => ({
  counts: new Float64Array(buckets),
  exemplars: [],
  sumS: 0,
  told: { counts: new Float64Array(buckets), exemplars: [], sumS: 0 },
});

function exportOf({ counts, exemplars, sumS, told }: Distribution): DistributionExport {
  const exported = {
    counts: counts.map((count, bucket) => count - (told.counts[bucket] ?? 0)),
    exemplars: Array.from(exemplars, (exemplar, bucket) =>
      exemplar === told.exemplars[bucket] ? undefined : exemplar,
    ),
    sumS: sumS - told.sumS,
  };
  told.counts.set(counts);
  told.exemplars.splice(0, told.exemplars.length, ...exemplars);
  told.sumS = sumS;
  return exported;
}
