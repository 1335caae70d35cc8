import { readdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

const FOLDER = resolve(import.meta.dirname, '../../deploy/helm/postern/dashboards');

export interface PanelModel {
  readonly id: number;
  readonly title: string;
  readonly type: string;
  readonly description?: string;
  readonly datasource?: unknown;
  readonly gridPos: { readonly x: number; readonly y: number; readonly w: number; readonly h: number };
  readonly targets?: readonly { readonly expr: string }[];
}

export interface VariableModel {
  readonly name: string;
  readonly type: string;
  readonly query: string | { readonly query: string };
  readonly includeAll?: boolean;
  readonly allValue?: string;
  readonly current?: { readonly value: readonly string[] };
}

/** What of a dashboard's file is looked at. */
export interface DashboardModel {
  readonly uid: string;
  readonly title: string;
  readonly panels: readonly PanelModel[];
  readonly templating: { readonly list: readonly VariableModel[] };
}

/** The dashboards of the chart, as Grafana would read them: the overview first. */
export const shippedDashboards = (): readonly DashboardModel[] =>
  readdirSync(FOLDER)
    .map((file) => JSON.parse(readFileSync(join(FOLDER, file), 'utf8')) as DashboardModel)
    .sort((a, b) => a.uid.localeCompare(b.uid));

export interface DashboardQuery {
  /** Dashboard, panel and place in it, for messages. */
  readonly place: string;
  readonly expr: string;
}

export const queriesOf = ({ title, panels }: DashboardModel): DashboardQuery[] =>
  panels.flatMap((panel) =>
    (panel.targets ?? []).map(({ expr }, index) => ({ place: `${title} / ${panel.title} / ${index}`, expr })),
  );

/** Values that were chosen, by variable; `.*` for those that are not named, as for "All". */
export type Choice = Readonly<Record<string, string>>;

/** An expression as Grafana would send it. */
export const expanded = (expr: string, choice: Choice = {}): string =>
  expr
    .replaceAll('$__rate_interval', '1m')
    .replaceAll('$__range', '10m')
    .replace(/\$(\w+)/g, (_, name: string) => choice[name] ?? '.*');

/** The label and the selector that a variable of labels is read from. */
export function labelValuesOf({ query }: VariableModel): { readonly selector: string; readonly label: string } {
  const text = typeof query === 'string' ? query : query.query;
  const [, selector, label] = /^label_values\((.+), (\w+)\)$/.exec(text) ?? [];
  if (selector === undefined || label === undefined) throw new Error(`no query of labels: ${text}`);
  return { selector, label };
}
