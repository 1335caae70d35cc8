import { within } from './series.ts';

/** What every selector of a dashboard says; `.*` where nothing is chosen, which a label that is not there matches too. */
export const of = within('namespace=~"$namespace",job=~"$job",instance=~"$instance"');

/** One query of a panel, and how its series are called there: text, and labels in double braces. */
export interface Query {
  readonly expr: string;
  readonly legend: string;
}

/** One panel, as its author thinks of it. */
export interface Panel {
  readonly title: string;
  /** What it means, and what to do when it looks wrong. */
  readonly description: string;
  readonly type: 'stat' | 'timeseries' | 'table' | 'heatmap';
  /** Of Grafana: `reqps`, `percentunit`, `s`, `bytes`, `short`. */
  readonly unit: string;
  /** Columns of 24. */
  readonly width: number;
  readonly queries: readonly Query[];
  readonly stacked?: true;
  /** From this value on it is orange, from the second on red. */
  readonly thresholds?: readonly [orange: number, red: number];
}

/** Panels below one heading. */
export interface Row {
  readonly title: string;
  readonly panels: readonly Panel[];
}

/** Of a counter, a second. */
export const rate = (series: string): string => `rate(${series}[$__rate_interval])`;
export const quantile = (q: number, buckets: string, ...labels: readonly string[]): string =>
  `histogram_quantile(${q}, sum by (${[...labels, 'le'].join(', ')}) (${rate(buckets)}))`;

type Shape = Omit<Panel, 'type' | 'queries' | 'title' | 'description'>;
type Build = (title: string, description: string, queries: readonly Query[], shape?: Partial<Shape>) => Panel;
const panel =
  (type: Panel['type'], fallback: Shape): Build =>
  (title, description, queries, shape = {}) => ({ title, description, type, queries, ...fallback, ...shape });

export const stat = panel('stat', { unit: 'short', width: 4 });
export const graph = panel('timeseries', { unit: 'short', width: 8 });
export const table = panel('table', { unit: 'short', width: 24 });
export const heatmap = panel('heatmap', { unit: 's', width: 8 });

/** A query without a name of its own: of a single value. */
export const one = (expr: string, legend = ''): readonly Query[] => [{ expr, legend }];
