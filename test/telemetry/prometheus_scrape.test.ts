import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startAdminServer } from '../../internal/admin/admin-server.ts';
import type { RunningHttpServer } from '../../internal/admin/http-server.ts';
import { systemClock } from '../../internal/core/clock.ts';
import { REASONS, type ReasonName } from '../../internal/core/reasons.ts';
import { aChecked, anAttributes, loadedOf, ORDERS } from '../../internal/telemetry/checked.fixture.ts';
import { CHECK_BUCKETS, METRICS } from '../../internal/telemetry/metric-table.ts';
import { Metrics } from '../../internal/telemetry/metrics.ts';
import { progress } from '../components/cache.ts';
import { obtainPrometheus } from './obtain-prometheus.ts';
import { type Prometheus, startPrometheus } from './prometheus.ts';

const TRACE = '0af7651916cd43dd8448eb211c80319c';
const ODD_NAME = 'or"de\\rs';
const obtained = await obtainPrometheus();
const isSkipped = 'missing' in obtained && process.env.CI !== 'true';

interface Vector {
  readonly result: readonly {
    readonly metric: Readonly<Record<string, string>>;
    readonly value: readonly [number, string];
  }[];
}
interface Metadata {
  readonly [family: string]: readonly { readonly type: string; readonly help: string }[];
}
type Exemplars = readonly {
  readonly exemplars: readonly { readonly labels: { readonly trace_id: string }; readonly value: string }[];
}[];

const query = (expression: string): string => `/api/v1/query?query=${encodeURIComponent(expression)}`;
const hasResult = ({ result }: Vector): boolean => result.length > 0;
const valuesOf = ({ result }: Vector): string[] => result.map(({ value }) => value[1]);

if ('missing' in obtained) progress(`Prometheus: MISSING: ${obtained.missing}`);

describe('a real Prometheus', { skip: isSkipped }, () => {
  const binaries = 'path' in obtained ? obtained.path : '';
  const metrics = new Metrics({ version: '1.2.3', hasWorkers: true });
  let admin: RunningHttpServer;
  let prometheus: Prometheus;

  before(async () => {
    assert.ok('path' in obtained, 'A component is missing');
    const attributes = anAttributes({});
    metrics.setPolicies(loadedOf([ORDERS, { ...ORDERS, name: ODD_NAME }]));
    for (const reason of Object.keys(REASONS) as ReasonName[]) {
      metrics.observeCheck(aChecked(reason, attributes).decision, 0.00015, reason === 'allowed' ? TRACE : undefined);
    }
    const odd = aChecked('allowed', attributes, { policy: { ...ORDERS, name: ODD_NAME } });
    metrics.observeCheck(odd.decision, 0.00015, undefined);
    metrics.count('postern_watch_restarts_total', 'apipolicies', 2);
    const address = { kind: 'tcp', host: '127.0.0.1', port: 0 } as const;
    admin = await startAdminServer({
      address,
      metrics,
      clock: systemClock,
      notReady: () => undefined,
      onError: () => {},
    });
    assert.ok(admin.address.kind === 'tcp');
    prometheus = await startPrometheus(join(binaries, 'prometheus'), [
      { job: 'postern', target: `127.0.0.1:${admin.address.port}` },
    ]);
    await prometheus.ask<Vector>(query('up == 1'), hasResult);
  });

  after(async () => {
    await prometheus.stop();
    await admin.close();
  });

  it('takes every family, with its type and help', async () => {
    const families = await prometheus.ask<Metadata>(
      '/api/v1/metadata',
      (data) => data.postern_build_info !== undefined,
    );
    const wrong = Object.entries(METRICS).filter(([name, { type, help }]) => {
      const family = families[name] ?? families[name.replace(/_total$/, '')];
      return family?.[0]?.type !== type || family[0].help !== help;
    });
    assert.deepEqual(wrong, []);
    assert.ok(families.process_resident_memory_bytes !== undefined);
  });

  it('counts one decision for each reason, by its phase and outcome', async () => {
    const { result } = await prometheus.ask<Vector>(query('postern_decisions_total{policy="shop/orders"}'), hasResult);
    assert.deepEqual(
      result.map(({ metric, value }) => [metric.reason, metric.phase, metric.decision, value[1]]).sort(),
      Object.entries(REASONS)
        .map(([reason, { phase, kind }]) => [reason, phase, kind, '1'])
        .sort(),
    );
  });

  it('reads a name with quotes and backslashes as it is', async () => {
    const data = await prometheus.ask<Vector>(
      query('postern_decisions_total{phase="none",reason="allowed"}'),
      hasResult,
    );
    assert.deepEqual(data.result.map(({ metric }) => metric.policy).sort(), [`shop/${ODD_NAME}`, 'shop/orders'].sort());
  });

  it('finds quantiles below a millisecond', async () => {
    const expression = 'histogram_quantile(0.5, sum by (le) (postern_check_duration_seconds_bucket))';
    const [p50] = valuesOf(await prometheus.ask<Vector>(query(expression), hasResult));
    assert.ok(Number(p50) > 0.0001 && Number(p50) < 0.0002, `p50 is ${p50}`);
    const buckets = await prometheus.ask<Vector>(
      query('postern_check_duration_seconds_bucket{decision="allow"}'),
      hasResult,
    );
    assert.equal(buckets.result.length, CHECK_BUCKETS.length + 1);
  });

  it('keeps the exemplar of a sampled trace', async () => {
    const path = `/api/v1/query_exemplars?query=postern_check_duration_seconds_bucket&start=0&end=9999999999`;
    const [series] = await prometheus.ask<Exemplars>(path, (data) => data.length > 0);
    assert.deepEqual(
      series?.exemplars.map(({ labels, value }) => [labels.trace_id, value]),
      [[TRACE, '0.00015']],
    );
  });

  it('reads the counters that prom-client keeps', async () => {
    const data = await prometheus.ask<Vector>(query('postern_watch_restarts_total{resource="apipolicies"}'), hasResult);
    assert.deepEqual(valuesOf(data), ['2']);
  });

  it('has a linter that finds nothing in our names', async () => {
    let input = '';
    for await (const piece of metrics.scrape('text')) input += piece;
    const { stderr } = spawnSync(join(binaries, 'promtool'), ['check', 'metrics'], { input, encoding: 'utf8' });
    const ours = stderr.split('\n').filter((line) => line !== '' && !line.startsWith('nodejs_'));
    assert.deepEqual(ours, []);
  });

  it('drops a policy that is gone, and goes on counting for the one that stays', async () => {
    metrics.setPolicies(loadedOf([ORDERS]));
    metrics.observeCheck(aChecked('allowed', anAttributes({})).decision, 0.0001, undefined);
    const data = await prometheus.ask<Vector>(
      query('postern_decisions_total{reason="allowed"}'),
      ({ result }) => result.length === 1 && result[0]?.value[1] === '2',
    );
    assert.equal(data.result[0]?.metric.policy, 'shop/orders');
  });
});
