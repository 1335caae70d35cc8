import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { KubeSourceBench } from './kube-source.fixture.ts';

const aMetadata = (name: string) => ({ name, namespace: 'shop', uid: `uid-${name}`, resourceVersion: '3' });
const aPolicy = {
  metadata: aMetadata('orders'),
  spec: { target: { workloadSelector: { matchLabels: { app: 'orders' } } }, authentication: { anonymous: {} } },
};
const aConsumer = {
  metadata: aMetadata('acme'),
  spec: { keys: [{ name: 'k', secretRef: { name: 'acme', key: 'plain' } }] },
};

/** Four kinds and the Namespace of one namespace, and two kinds of the cluster. */
const WATCHES = 7;

describe('the source of a sidecar', () => {
  let bench: KubeSourceBench;
  let folder: string;
  let file: string;

  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), 'postern-sidecar-'));
    file = join(folder, 'labels');
    writeFileSync(file, 'app="orders"');
    bench = await KubeSourceBench.create('shop', { 'workload-labels': file });
    bench.objects.set('shop/apipolicies', [aPolicy]);
    bench.objects.set('shop/apiconsumers', [aConsumer]);
  });
  afterEach(async () => {
    await bench.stop();
    rmSync(folder, { recursive: true });
  });

  const hosts = () => bench.builds.at(-1)?.reports.find(({ object }) => object.kind === 'APIPolicy')?.hosts;

  it('asks for its kinds, those of the cluster, its Namespace, and for nothing else: no Lease, no status, no Secret, no definition', async () => {
    await bench.start();
    await bench.until(() => bench.watches.size === WATCHES);
    assert.deepEqual(
      [...bench.asked].map((path) => path.replace('/apis/postern.dev/v1alpha1/namespaces', '')).sort(),
      [
        'GET /api/v1/namespaces',
        ...['apibaselines', 'hostgrants'].map((plural) => `GET /apis/postern.dev/v1alpha1/${plural}`),
        ...['apiconsumers', 'apipolicies', 'apirolebindings', 'apiroles'].map((plural) => `GET /shop/${plural}`),
      ].sort(),
    );
  });

  it('says of a key in a Secret what to write instead', async () => {
    await bench.start();
    const [consumer] = bench.builds[0]?.reports.filter(({ object }) => object.kind === 'APIConsumer') ?? [];
    assert.deepEqual(
      consumer?.problems.map(({ reason, message }) => [reason, message]),
      [
        [
          'SecretsNotReadable',
          'Sidecars read no Secrets: write sha256, the digest of the key in the Secret "acme", in place of secretRef',
        ],
      ],
    );
  });

  it('builds anew when the labels of its Pod change', async () => {
    await bench.start();
    assert.deepEqual(hosts(), ['this workload']);
    writeFileSync(file, 'app="web"');
    bench.timers.advance(2000);
    await bench.until(() => bench.builds.length === 2);
    assert.deepEqual(hosts(), []);
  });

  it('is not ready while a watch is forbidden, and says the command that mends it', async () => {
    bench.refused.set('shop/apiroles', 403);
    void bench.start();
    await bench.until(() => bench.adapter.notReady?.() !== undefined);
    const why = String(bench.adapter.notReady?.());
    assert.match(why, /^refused with 403: kubectl -n shop create role postern-watches-\S+ --verb=list,watch/);
    assert.match(why, /--resource=apipolicies\.postern\.dev,.* && kubectl -n shop create rolebinding/);
    assert.equal(bench.builds.length, 0);
    assert.equal(bench.lines.filter((line) => line.why === why).length, 1);
    bench.refused.clear();
    await bench.until(() => {
      bench.timers.advance(100);
      return bench.builds.length === 1;
    });
    assert.equal(bench.adapter.notReady?.(), undefined);
  });

  it('says the commands of every place that is forbidden, each once, and grants no more than it watches', async () => {
    const account = 'AGENT_NAMESPACE-AGENT_SERVICE_ACCOUNT';
    const mending = (where: string, role: string, name: string, what: string): string =>
      [
        `refused with 403: kubectl${where} create ${role} ${name} --verb=list,watch --resource=${what} && `,
        `kubectl${where} create ${role}binding ${name} --${role}=${name} --serviceaccount=${account.replace('-', ':')}`,
      ].join('');
    const kinds = (...plurals: readonly string[]): string => plurals.map((plural) => `${plural}.postern.dev`).join();
    const name = `postern-watches-${account}`;
    const places = [
      mending(' -n shop', 'role', name, kinds('apipolicies', 'apiconsumers', 'apiroles', 'apirolebindings')),
      mending('', 'clusterrole', name, kinds('hostgrants', 'apibaselines')),
      mending('', 'clusterrole', `${name}-of-shop`, 'namespaces --resource-name=shop'),
    ];
    for (const path of ['apiroles', 'apiconsumers', 'hostgrants', 'apibaselines', 'api/v1/namespaces'])
      bench.refused.set(path, 403);
    void bench.start();
    const said = (): string => bench.adapter.notReady?.() ?? '';
    await bench.until(() => said().split('\n').length === places.length);
    assert.deepEqual(said().split('\n').sort(), places.sort());
    const logged = (): ReadonlySet<unknown> => new Set(bench.lines.flatMap(({ why }) => why ?? []));
    await bench.until(() => logged().size === places.length);
    assert.deepEqual([...logged()].sort(), places);
    bench.refused.delete('hostgrants');
    bench.refused.delete('apibaselines');
    await bench.until(() => {
      bench.timers.advance(100);
      return !said().includes('hostgrants');
    });
    assert.deepEqual(
      said().split('\n').sort(),
      places.filter((line) => !line.includes('hostgrants')),
    );
  });

  it('is not ready either when a watch is forbidden later', async () => {
    await bench.start();
    await bench.until(() => bench.watches.size === WATCHES);
    bench.refused.set('shop/apipolicies', 403);
    bench.watches.get('shop/apipolicies')?.cut();
    await bench.until(() => {
      bench.timers.advance(100);
      return bench.adapter.notReady?.() !== undefined;
    });
    assert.match(String(bench.adapter.notReady?.()), /^refused with 403/);
  });
});
