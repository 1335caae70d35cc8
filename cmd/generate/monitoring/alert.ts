import { within } from './series.ts';

/** One alert of Prometheus. Texts of `description` may name labels and the value, as Prometheus' templates do. */
export interface Alert {
  readonly alert: string;
  /** `critical`: somebody gets up for it; `warning`: by day. */
  readonly severity: 'critical' | 'warning';
  /** How long it has to hold; at once without. */
  readonly for?: string;
  readonly expr: string;
  /** The same for all of its instances: no template. */
  readonly summary: string;
  readonly description: string;
  /** The first thing to do; docs/runbooks.md goes on from there. */
  readonly runbook: string;
}

/** What every selector of an alert says; the chart puts its release's own in the place of it. */
export const SCOPE = 'job="postern"';
export const of = within(SCOPE);

/** How alerts are told apart that are not about one instance. */
export const RELEASE = 'by (job, namespace)';
const TOLD_APART = ['job', 'namespace'];

/** By those and by other labels. */
export const by = (...labels: readonly string[]): string => `by (${[...TOLD_APART, ...labels].join(', ')})`;

/** How much a counter rose, whose series may be younger than the window: a first count has no rise of its own. */
export function rise(series: string, window: string, grouping: string): string {
  const isNew = `sum ${grouping} (${series} unless ${series} offset ${window})`;
  return `(sum ${grouping} (increase(${series}[${window}])) > 0 or ${isNew} > 0)`;
}
