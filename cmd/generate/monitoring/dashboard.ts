import { of, type Panel, type Row } from './panel.ts';

const SOURCE = Object.freeze({ type: 'prometheus', uid: '$datasource' });
const HEIGHTS: Readonly<Record<Panel['type'], number>> = { stat: 4, timeseries: 8, heatmap: 8, table: 10 };
const COLUMNS = 24;

export interface DashboardOptions {
  readonly uid: string;
  readonly title: string;
  readonly description: string;
  readonly rows: readonly Row[];
  /** Labels to choose by, besides those of the target, with the series that they are read from. */
  readonly variables?: Readonly<Record<string, string>>;
}

/** A dashboard as Grafana (10 and newer) imports it; the data source is a variable, so that it fits any. */
export function dashboard({ uid, title, description, rows, variables = {} }: DashboardOptions): object {
  return {
    uid,
    title,
    description,
    tags: ['postern'],
    schemaVersion: 39,
    editable: true,
    graphTooltip: 1,
    refresh: '30s',
    time: { from: 'now-3h', to: 'now' },
    timezone: 'browser',
    links: [
      { type: 'dashboards', title: 'Postern', tags: ['postern'], asDropdown: false, includeVars: true, keepTime: true },
    ],
    templating: { list: [DATASOURCE, ...labelsOf({ ...TARGET, ...variables })] },
    annotations: { list: [] },
    panels: laidOut(rows),
  };
}

const DATASOURCE = { name: 'datasource', label: 'Data source', type: 'datasource', query: 'prometheus' };

/** Each is narrowed by those before it. */
const TARGET: Readonly<Record<string, string>> = {
  namespace: 'postern_build_info',
  job: 'postern_build_info{namespace=~"$namespace"}',
  instance: 'postern_build_info{namespace=~"$namespace",job=~"$job"}',
};

/** `.*` for all: a label that targets do not have (`namespace`, without an operator) leaves none of them out. */
const labelsOf = (labels: Readonly<Record<string, string>>): object[] =>
  Object.entries(labels).map(([name, series]) => ({
    name,
    label: `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`,
    type: 'query',
    datasource: SOURCE,
    query: { query: `label_values(${series}, ${name})`, refId: name },
    refresh: 2,
    sort: 1,
    multi: true,
    includeAll: true,
    allValue: '.*',
    current: { selected: true, text: ['All'], value: ['$__all'] },
  }));

/** Panels from left to right; a heading takes a line of its own. */
function laidOut(rows: readonly Row[]): object[] {
  const placed: object[] = [];
  let y = 0;
  for (const { title, panels } of rows) {
    placed.push({
      id: placed.length + 1,
      type: 'row',
      title,
      collapsed: false,
      panels: [],
      gridPos: at(0, y, COLUMNS, 1),
    });
    y += 1;
    let x = 0;
    let height = 0;
    for (const panel of panels) {
      if (x + panel.width > COLUMNS) {
        y += height;
        [x, height] = [0, 0];
      }
      placed.push(drawn(panel, placed.length + 1, at(x, y, panel.width, HEIGHTS[panel.type])));
      x += panel.width;
      height = Math.max(height, HEIGHTS[panel.type]);
    }
    y += height;
  }
  return placed;
}

const at = (x: number, y: number, w: number, h: number) => ({ x, y, w, h });

function drawn(panel: Panel, id: number, gridPos: object): object {
  const { title, description, type, unit, thresholds, queries } = panel;
  const isInstant = type === 'table';
  return {
    id,
    title,
    description,
    type,
    datasource: SOURCE,
    gridPos,
    targets: queries.map(({ expr, legend }, index) => ({
      refId: String.fromCharCode(65 + index),
      datasource: SOURCE,
      expr,
      legendFormat: legend,
      ...(isInstant ? { instant: true, range: false, format: 'table' } : { range: true }),
      ...(type === 'heatmap' && { format: 'heatmap' }),
    })),
    fieldConfig: {
      defaults: { unit, min: 0, ...(thresholds && colours(thresholds)), ...custom(panel) },
      overrides: [],
    },
    ...options(type),
  };
}

const colours = ([orange, red]: readonly [number, number]) => ({
  color: { mode: 'thresholds' },
  thresholds: {
    mode: 'absolute',
    steps: [
      { color: 'green', value: null },
      { color: 'orange', value: orange },
      { color: 'red', value: red },
    ],
  },
});

const custom = ({ type, stacked }: Panel): object =>
  type === 'timeseries'
    ? {
        custom: { fillOpacity: stacked ? 30 : 5, stacking: { mode: stacked ? 'normal' : 'none' }, showPoints: 'never' },
      }
    : {};

function options(type: Panel['type']): object {
  if (type === 'stat') return { options: { reduceOptions: { calcs: ['lastNotNull'] }, textMode: 'value_and_name' } };
  if (type === 'timeseries')
    return {
      options: { legend: { displayMode: 'list', placement: 'bottom' }, tooltip: { mode: 'multi', sort: 'desc' } },
    };
  if (type === 'heatmap') return { options: { calculate: false, yAxis: { unit: 's' }, cellGap: 1 } };
  return { transformations: [{ id: 'organize', options: { excludeByName: { Time: true } } }] };
}

/** Policies that were counted: those that decided something. */
export const POLICY_VARIABLE = { policy: of('postern_decisions_total') };
