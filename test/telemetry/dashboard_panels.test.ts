import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { envoyBinary } from '../envoy/harness.ts';
import { shippedRules } from './alert-rules.ts';
import { emptyQueries, queryCount } from './empty-panels.ts';
import { obtainPrometheus } from './obtain-prometheus.ts';
import { startWatchedAgents, TARGETS, type WatchedAgents } from './watched-agents.ts';

const kubernetes = await obtainKubernetes();
const prometheus = await obtainPrometheus();
const envoy = await envoyBinary();
const isSkipped = skipWithout(kubernetes) || skipWithout(prometheus) || skipWithout(envoy);

interface Vector {
  readonly result: readonly { readonly metric: Readonly<Record<string, string>> }[];
}

describe('the dashboards over agents under traffic', { skip: isSkipped }, () => {
  let watched: WatchedAgents;
  before(async () => {
    const pathOf = (found: object): string => ('path' in found ? String(found.path) : '');
    watched = await startWatchedAgents({
      kubernetes: pathOf(kubernetes),
      envoy: pathOf(envoy),
      prometheus: pathOf(prometheus),
    });
  });
  after(() => watched?.stop());

  const metrics = (expr: string, wanted: (result: Vector['result']) => boolean): Promise<Vector> =>
    watched.prometheus.ask<Vector>(`/api/v1/query?query=${encodeURIComponent(expr)}`, ({ result }) => wanted(result));

  it('are looked at while requests end in every phase, by every reason that was meant', async () => {
    const reasonsOf = (result: Vector['result']): string[] => result.map(({ metric }) => metric.reason ?? '').sort();
    const expr = 'count by (reason) (postern_decisions_total > 0)';
    const { result } = await metrics(expr, (found) => found.length >= watched.reasons.length);
    assert.deepEqual(reasonsOf(result), watched.reasons);
    const phases = await metrics('count by (phase) (postern_decisions_total{decision="deny"})', () => true);
    assert.deepEqual(phases.result.map(({ metric }) => metric.phase).sort(), [
      'authn',
      'authz',
      'policy',
      'ratelimit',
      'request',
      'validation',
    ]);
  });

  it('have no panel and no variable that is empty', async () => {
    assert.ok(queryCount() > 50, String(queryCount()));
    assert.deepEqual(await emptyQueries(watched.prometheus), []);
  });

  it('have none where namespace, job and policy are chosen, save what that target has not', async () => {
    const empty = await emptyQueries(watched.prometheus, { ...TARGETS.kube, policy: 'shop/.*' }, 3000);
    assert.deepEqual(
      empty.map(({ place }) => place.split(' / ')[1]),
      // No certificates, no files, no issuers, one process; what cannot be read is of no policy.
      [
        'Mistakes in policy files',
        'Days until certificates end',
        'Age of the oldest keys',
        'Worker processes',
        'Workers replaced',
        'Request',
      ],
    );
  });

  it('have alerts beside them that can be evaluated over such series, and say of them what is so', async () => {
    for (const { expr } of shippedRules()) await metrics(expr, () => true);
    const firing = async (name: string): Promise<boolean> => {
      const rule = shippedRules().find(({ alert }) => alert === name) ?? assert.fail(name);
      return (await metrics(rule.expr, () => true)).result.length > 0;
    };
    // A policy is wrong, and an issuer hangs in the job of another name.
    assert.deepEqual(
      await Promise.all(['PosternPoliciesRejected', 'PosternFaults', 'PosternUnavailable', 'PosternDown'].map(firing)),
      [true, false, false, false],
    );
  });

  it('see an agent whose target has no namespace, where nothing is chosen', async () => {
    const { result } = await metrics('postern_build_info{namespace=~".*",job="files",instance=~".*"}', () => true);
    assert.deepEqual(
      result.map(({ metric }) => [metric.job, metric.namespace]),
      [['files', undefined]],
    );
  });
});
