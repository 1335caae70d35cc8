import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parse } from 'yaml';
import { skipWithout } from '../components/cache.ts';
import { obtainPrometheus } from '../telemetry/obtain-prometheus.ts';
import { CHART, obtainedHelm, only, type Rendered, render } from './chart.ts';

const prometheus = await obtainPrometheus();
const OPERATOR = 'monitoring.coreos.com/v1';
const NO_CRDS = { crds: { install: 'Never' } };

interface Rule {
  readonly alert: string;
  readonly expr: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}
interface Group {
  readonly name: string;
  readonly rules: readonly Rule[];
}

const SHIPPED = (parse(readFileSync(join(CHART, 'files/alerts.yaml'), 'utf8')) as { groups: Group[] }).groups;
const kinds = (objects: readonly Rendered[]): string[] => objects.map(({ kind }) => kind);
const withAlerts = (alerts: object = {}, more: object = {}) =>
  render({ ...NO_CRDS, ...more, alerts: { enabled: true, ...alerts } }, 'postern', [OPERATOR]);
const rulesOf = (objects: readonly Rendered[]): Rule[] =>
  (only(objects, 'PrometheusRule').spec.groups as Group[]).flatMap(({ rules }) => rules);

describe('the chart’s dashboards', { skip: skipWithout(obtainedHelm) }, () => {
  const withDashboards = (dashboards: object = {}) =>
    render({ ...NO_CRDS, dashboards: { enabled: true, ...dashboards } });

  it('are left out unless they are asked for', async () => {
    assert.equal(kinds(await render(NO_CRDS)).includes('ConfigMap'), false);
  });

  it('come as they are in files, under the label that Grafana’s sidecar looks for', async () => {
    const { metadata, data } = only(await withDashboards(), 'ConfigMap');
    assert.deepEqual(
      [metadata.name, metadata.namespace, metadata.labels?.grafana_dashboard, metadata.annotations],
      ['postern-dashboards', 'infra', '1', undefined],
    );
    const files = globSync('dashboards/*.json', { cwd: CHART }).sort();
    assert.deepEqual(
      data,
      Object.fromEntries(files.map((file) => [file.slice(11), readFileSync(join(CHART, file), 'utf8')])),
    );
    assert.equal(files.length, 2);
  });

  it('go into the namespace, the folder and under the labels that are given', async () => {
    const { metadata } = only(
      await withDashboards({
        namespace: 'grafana',
        labels: { team: 'edge', grafana_dashboard: null },
        annotations: { a: 'b' },
        folder: 'Edge: "gates"',
      }),
      'ConfigMap',
    );
    assert.equal(metadata.namespace, 'grafana');
    assert.deepEqual([metadata.labels?.team, metadata.labels?.grafana_dashboard], ['edge', undefined]);
    assert.deepEqual(metadata.annotations, { a: 'b', grafana_folder: 'Edge: "gates"' });
  });
});

describe('the chart’s alerts', { skip: skipWithout(obtainedHelm) }, () => {
  it('are left out unless they are asked for, and where nothing would take them', async () => {
    assert.equal(kinds(await render(NO_CRDS, 'postern', [OPERATOR])).includes('PrometheusRule'), false);
    assert.equal(kinds(await render({ ...NO_CRDS, alerts: { enabled: true } })).includes('PrometheusRule'), false);
  });

  it('are all there, each about the release’s own job in its namespace', async () => {
    const rules = rulesOf(await withAlerts({}, { fullnameOverride: 'gate' }));
    assert.deepEqual(
      rules,
      SHIPPED.flatMap((group) => group.rules).map((rule) => ({
        ...rule,
        expr: rule.expr.replaceAll('job="postern"', 'job="gate",namespace="infra"'),
      })),
    );
    assert.deepEqual(
      rules.filter(({ expr }) => expr.includes('{') && !expr.includes('{job="gate",namespace="infra"')),
      [],
    );
  });

  it('have groups of their own beside another release’s', async () => {
    const groups = only(await withAlerts(), 'PrometheusRule').spec.groups as Group[];
    assert.deepEqual(
      groups.map(({ name }) => name),
      SHIPPED.map(({ name }) => `postern-infra.${name}`),
    );
  });

  it('are about other series where matchers say so', async () => {
    const matchers = 'job="sidecars",cluster=~"eu-.*"';
    for (const { expr } of rulesOf(await withAlerts({ matchers }))) assert.ok(expr.includes(`{${matchers}`), expr);
  });

  it('are rules that Prometheus takes, in whatever words they are selected', {
    skip: skipWithout(prometheus),
  }, async () => {
    const folder = mkdtempSync(join(tmpdir(), 'postern-rules-'));
    const path = join(folder, 'rules.yaml');
    for (const alerts of [{}, { matchers: 'job=~"a|b",cluster!="x"', ruleLabels: { tier: 'one' } }]) {
      const { spec } = only(await withAlerts(alerts), 'PrometheusRule');
      writeFileSync(path, JSON.stringify(spec));
      const promtool = join('path' in prometheus ? prometheus.path : '', 'promtool');
      const { status, stdout, stderr } = spawnSync(promtool, ['check', 'rules', path], { encoding: 'utf8' });
      assert.equal(status, 0, stdout + stderr);
    }
    rmSync(folder, { recursive: true });
  });

  it('link their runbooks, carry labels, and leave out those that are disabled', async () => {
    const all = rulesOf(await withAlerts());
    assert.deepEqual(
      all.filter(({ annotations }) => 'runbook_url' in annotations || annotations.runbook === undefined),
      [],
    );
    const objects = await withAlerts({
      labels: { release: 'prometheus' },
      annotations: { a: 'b' },
      ruleLabels: { team: 'edge', severity: 'none' },
      disabled: ['PosternRestarts'],
      runbooks: 'https://docs.example.org/runbooks',
    });
    const { metadata } = only(objects, 'PrometheusRule');
    assert.deepEqual([metadata.labels?.release, metadata.annotations], ['prometheus', { a: 'b' }]);
    const rules = rulesOf(objects);
    assert.equal(rules.length, all.length - 1);
    assert.deepEqual(
      rules.map(({ alert, annotations }) => [alert, annotations.runbook_url]),
      all
        .filter(({ alert }) => alert !== 'PosternRestarts')
        .map(({ alert }) => [alert, `https://docs.example.org/runbooks#${alert.toLowerCase()}`]),
    );
    for (const { labels } of rules) assert.equal(labels.team, 'edge');
    // Who gets up at night is said by the alert.
    assert.deepEqual([...new Set(rules.map(({ labels }) => labels.severity))].sort(), ['critical', 'warning']);
  });
});
