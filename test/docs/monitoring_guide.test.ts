import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { ALERTS } from '../../cmd/generate/monitoring/alerts.ts';
import { requireComponent, skipWithout } from '../components/cache.ts';
import { CHART, helm, obtainedHelm, type Rendered } from '../helm/chart.ts';
import { obtainPrometheus } from '../telemetry/obtain-prometheus.ts';

const PAGE = readFileSync(join(CHART, '../../../docs/monitoring.md'), 'utf8');
const blockOf = (language: string): string =>
  new RegExp(`^\`\`\`${language}\n(.*?)^\`\`\`$`, 'ms').exec(PAGE)?.[1] ?? assert.fail(`no block of ${language}`);

describe('docs/monitoring.md', () => {
  it('installs what it speaks of', { skip: skipWithout(obtainedHelm) }, async () => {
    const command = blockOf('sh').trim();
    const [, verb, name = '', chart, ...given] = command.split(' ');
    assert.deepEqual([verb, name, chart], ['upgrade', 'postern', 'deploy/helm/postern']);
    // Without it the upgrade would drop the values that the reader has set before.
    assert.ok(given.includes('--reset-then-reuse-values'), command);
    const flags = given.filter((flag) => flag !== '--reset-then-reuse-values');
    const served = ['--api-versions', /--api-versions (\S+)`/.exec(PAGE)?.[1] ?? ''];
    const { code, stdout, stderr } = await helm(['template', name, CHART, ...flags, ...served]);
    assert.deepEqual([code, stderr], [0, '']);
    const kinds = parseAllDocuments(stdout).map((document) => (document.toJS() as Rendered | null)?.kind);
    for (const kind of ['ServiceMonitor', 'PrometheusRule', 'ConfigMap']) assert.ok(kinds.includes(kind), kind);
  });

  it('has a scrape configuration and rules that Prometheus takes', async (t) => {
    const binaries = requireComponent(await obtainPrometheus(), t);
    if (binaries === undefined) return;
    const folder = mkdtempSync(join(tmpdir(), 'postern-monitoring-'));
    // Debian's Prometheus is built without Kubernetes: how targets are found is left out, what becomes of them is not.
    const found = 'kubernetes_sd_configs: [{role: pod}]';
    assert.ok(blockOf('yaml').includes(found));
    writeFileSync(
      join(folder, 'prometheus.yml'),
      blockOf('yaml').replaceAll(found, 'static_configs: [{targets: [a]}]'),
    );
    copyFileSync(join(CHART, 'files/alerts.yaml'), join(folder, 'alerts.yaml'));
    const args = ['check', 'config', join(folder, 'prometheus.yml')];
    const { status, stdout, stderr } = spawnSync(join(binaries, 'promtool'), args, { encoding: 'utf8' });
    rmSync(folder, { recursive: true });
    assert.equal(status, 0, stdout + stderr);
    assert.match(stdout, new RegExp(`SUCCESS: ${ALERTS.length} rules found`));
  });
});
