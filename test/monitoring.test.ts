import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { ALERTS } from '../cmd/generate/monitoring/alerts.ts';
import { REASONS } from '../internal/core/reasons.ts';
import { METRICS, type MetricRow } from '../internal/telemetry/metric-table.ts';
import { Metrics } from '../internal/telemetry/metrics.ts';
import { type DashboardModel, type PanelModel, queriesOf, shippedDashboards } from './telemetry/dashboard-queries.ts';

const ROOT = join(import.meta.dirname, '..');
const read = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const TABLE: Readonly<Record<string, MetricRow>> = METRICS;
/** Labels of a target, which Prometheus adds. */
const OF_TARGETS = ['namespace', 'job', 'instance'];
const dashboards = shippedDashboards();
const panelsOf = ({ panels }: DashboardModel): PanelModel[] => panels.filter(({ type }) => type !== 'row');

/** What Node and prom-client tell besides ours, and what Prometheus itself does. */
async function foreignNames(): Promise<ReadonlySet<string>> {
  let text = '';
  for await (const piece of new Metrics({ version: '1' }).scrape('text')) text += piece;
  const families = [...text.matchAll(/^# TYPE (\S+)/gm)].map(([, name = '']) => name);
  return new Set(['up', ...families.filter((name) => !name.startsWith('postern_'))]);
}

interface Selector {
  readonly name: string;
  readonly matchers: readonly { readonly label: string; readonly operator: string; readonly value: string }[];
}

/** The selectors of an expression, and the labels that it groups by. */
function partsOf(expr: string): { readonly selectors: readonly Selector[]; readonly grouped: readonly string[] } {
  const selectors = [...expr.matchAll(/\b([a-z_]+)\{([^}]*)\}/g)].map(([, name = '', inside = '']) => ({
    name,
    matchers: [...inside.matchAll(/([a-z_]+)(=~|!~|!=|=)"([^"]*)"/g)].map(
      ([, label = '', operator = '', value = '']) => ({
        label,
        operator,
        value,
      }),
    ),
  }));
  const grouped = [...expr.matchAll(/\b(?:by|on|without) ?\(([^)]*)\)/g)].flatMap(([, list = '']) =>
    list.split(',').map((label) => label.trim()),
  );
  return { selectors, grouped };
}

/** The row of the table that a series belongs to, and the labels that it has. */
function familyOf(name: string): { readonly row: MetricRow; readonly labels: readonly string[] } | undefined {
  const base = TABLE[name] === undefined ? name.replace(/_(bucket|sum|count)$/, '') : name;
  const row = TABLE[base];
  if (row === undefined || (base !== name) !== (row.type === 'histogram')) return undefined;
  const more = name.endsWith('_bucket') ? ['le'] : [];
  return { row, labels: [...Object.keys(row.labels), ...more, ...OF_TARGETS] };
}

/** What of an expression is not in the table of metrics. */
function unknownIn(expr: string, foreign: ReadonlySet<string>): string[] {
  const { selectors, grouped } = partsOf(expr);
  const wrong: string[] = [];
  const known = new Set(OF_TARGETS);
  for (const { name, matchers } of selectors) {
    const family = familyOf(name);
    if (family === undefined && !foreign.has(name)) wrong.push(name);
    for (const label of family?.labels ?? []) known.add(label);
    for (const { label, operator, value } of matchers) {
      if (!(family?.labels ?? OF_TARGETS).includes(label)) wrong.push(`${name}{${label}}`);
      const values = label === 'reason' ? Object.keys(REASONS) : family?.row.labels[label];
      if (!Array.isArray(values) || value.startsWith('$')) continue;
      for (const one of operator.includes('~') ? value.split('|') : [value])
        if (!values.includes(one)) wrong.push(`${name}{${label}="${one}"}`);
    }
  }
  wrong.push(...grouped.filter((label) => !known.has(label)).map((label) => `by (${label})`));
  // Every word that looks like a series has a selector, so that the scope is nowhere left out.
  const words = expr.replace(/"[^"]*"/g, '').match(/\b(?:postern|nodejs|process)_[a-z_]+\b(?!\{)/g) ?? [];
  return [...wrong, ...words];
}

describe('the queries of dashboards and alerts', async () => {
  const foreign = await foreignNames();

  it('are looked at by a test that sees a wrong name, label, value and grouping', () => {
    assert.deepEqual(
      [
        'rate(postern_decision_total{job="a"}[5m])',
        'postern_ready{policy="a"}',
        'postern_policies{state="refused"}',
        'sum by (reason) (postern_ready{job="a"})',
        'postern_decisions_total{reason=~"internal|inturnal"}',
        'postern_ready',
        'postern_ready_count{job="a"}',
        'nodejs_lag{job="a"}',
      ].map((expr) => unknownIn(expr, foreign)),
      [
        ['postern_decision_total'],
        ['postern_ready{policy}'],
        ['postern_policies{state="refused"}'],
        ['by (reason)'],
        ['postern_decisions_total{reason="inturnal"}'],
        ['postern_ready'],
        ['postern_ready_count'],
        ['nodejs_lag'],
      ],
    );
  });

  it('ask for metrics, labels and values that there are', () => {
    const all = [...ALERTS.map(({ expr }) => expr), ...dashboards.flatMap(queriesOf).map(({ expr }) => expr)];
    assert.ok(all.length > 80, String(all.length));
    assert.deepEqual(
      all.flatMap((expr) => unknownIn(expr, foreign).map((what) => `${what} in ${expr}`)),
      [],
    );
  });

  it('show every metric of the table', () => {
    const text = dashboards
      .flatMap(queriesOf)
      .map(({ expr }) => expr)
      .join('\n');
    assert.deepEqual(
      Object.keys(METRICS).filter((name) => !new RegExp(`\\b${name}(_bucket|_count)?\\{`).test(text)),
      [],
    );
  });
});

describe('the dashboards', () => {
  for (const model of dashboards) {
    it(`${model.title}: places every panel, and none over another`, () => {
      const taken = new Set<string>();
      for (const { title, gridPos } of model.panels) {
        const { x, y, w, h } = gridPos;
        assert.ok(x + w <= 24, title);
        for (let column = x; column < x + w; column += 1)
          for (let line = y; line < y + h; line += 1) {
            assert.equal(taken.has(`${column},${line}`), false, title);
            taken.add(`${column},${line}`);
          }
      }
      const ids = model.panels.map(({ id }) => id);
      assert.equal(new Set(ids).size, ids.length);
    });

    it(`${model.title}: has a description, a query and the chosen data source on every panel`, () => {
      for (const { title, description, datasource, targets } of panelsOf(model)) {
        assert.ok(description !== undefined && description.length > 20, title);
        assert.deepEqual(datasource, { type: 'prometheus', uid: '$datasource' });
        assert.ok(targets !== undefined && targets.length > 0, title);
      }
    });

    it(`${model.title}: has variables that leave out nothing where nothing is chosen`, () => {
      const [source, ...labels] = model.templating.list;
      assert.equal(source?.type, 'datasource');
      for (const { name, includeAll, allValue, current } of labels)
        assert.deepEqual([includeAll, allValue, current?.value], [true, '.*', ['$__all']], name);
      const used = new Set(
        queriesOf(model).flatMap(({ expr }) => [...expr.matchAll(/"\$(\w+)"/g)].map(([, name]) => name)),
      );
      assert.deepEqual([...used].sort(), labels.map(({ name }) => name).sort());
    });

    it(`${model.title}: stands in docs/monitoring.md, panel for panel`, () => {
      const page = read('docs/monitoring.md');
      const section = page.slice(page.indexOf(`## The dashboard "${model.title}"`)).split('\n## ')[0] ?? '';
      const told = [...section.matchAll(/^\| (?!---|Panel)([^|]+) \|/gm)].map(([, title]) => title);
      assert.deepEqual(
        told,
        panelsOf(model).map(({ title }) => title),
      );
    });
  }

  it('are linked by their own uid', () => {
    assert.deepEqual(
      dashboards.map(({ uid }) => uid),
      ['postern', 'postern-denials'],
    );
  });
});

describe('the alerts', () => {
  it('have a runbook each, under a heading of their name, and no runbook is of another', () => {
    const headings = [...read('docs/runbooks.md').matchAll(/^### (\S+)$/gm)].map(([, name]) => name);
    assert.deepEqual(
      headings,
      ALERTS.map(({ alert }) => alert),
    );
  });

  it('have runbooks whose links lead somewhere', () => {
    const page = read('docs/runbooks.md');
    const anchors = new Set([...page.matchAll(/^#+ (.+)$/gm)].map(([, title = '']) => `#${title.toLowerCase()}`));
    const links = [...page.matchAll(/\]\((#[^)]+)\)/g)].map(([, link = '']) => link);
    assert.ok(links.length > 5);
    assert.deepEqual(
      links.filter((link) => !anchors.has(link)),
      [],
    );
  });

  it('say in one sentence what is wrong, for which instance or job, and what to do first', () => {
    for (const { alert, summary, description, runbook, expr } of ALERTS) {
      assert.match(alert, /^Postern[A-Z]/);
      assert.doesNotMatch(summary, /\{\{/, alert);
      assert.match(description, /\$labels\.(instance|job)/, alert);
      assert.ok(runbook.endsWith('.'), alert);
      assert.ok(expr.includes('{job="postern"'), alert);
    }
  });

  it('can be left out by name, each', () => {
    const schema = JSON.parse(read('deploy/helm/postern/values.schema.json'));
    assert.deepEqual(
      schema.properties.alerts.properties.disabled.items.enum,
      ALERTS.map(({ alert }) => alert),
    );
  });

  it('are in the file as the table has them', () => {
    const { groups } = parse(read('deploy/helm/postern/files/alerts.yaml')) as {
      groups: { rules: { alert: string; expr: string }[] }[];
    };
    assert.deepEqual(
      groups.flatMap(({ rules }) => rules).map(({ alert, expr }) => [alert, expr]),
      ALERTS.map(({ alert, expr }) => [alert, expr]),
    );
  });
});
