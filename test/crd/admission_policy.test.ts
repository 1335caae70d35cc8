import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { post, type SentObject, startCrdCluster } from './crd-cluster.ts';
import { times } from './wrong-shape.ts';

const ROLES = join(import.meta.dirname, '../../deploy/crds/postern.dev_apiroles.yaml');
const ROLE = '/apis/postern.dev/v1alpha1/namespaces/default/apiroles';

const expression = 'request.method == "GET"';
const criteria = (when: object = { expression }): object => ({
  methods: times(16, (i) => `M${i}`),
  paths: times(64, (i) => `/${'p'.repeat(40)}/{id}/${i}/**`),
  roles: times(64, (i) => `role-${i}`),
  groups: times(64, (i) => `group-${i}`),
  scopes: times(64, (i) => `scope-${i}`),
  cidrs: times(256, (i) => `192.0.${i}.0/24`),
  when: [...times(15, () => ({ expression })), when],
});
/** As many of everything as the schema lets in, about 700 kB. */
const largest = (last?: object): object => ({
  target: { hosts: times(64, (i) => `h${i}.example.org`) },
  authentication: {
    methods: times(16, (i) => ({ name: `m${i}`, apiKey: { from: times(8, () => ({ cookie: `c${i}` })) } })),
  },
  authorization: {
    rules: times(64, (i) => ({
      name: `r${i}`,
      [i % 2 === 0 ? 'allow' : 'deny']: criteria(i === 63 ? last : undefined),
    })),
  },
  rateLimits: times(32, (i) => ({
    name: `l${i}`,
    stage: 'AfterAuthentication',
    key: times(8, () => ({ expression })),
    rates: times(8, (rate) => ({ requests: 1, window: `${rate + 1}s` })),
  })),
});

describe('the admission policy', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;

  before(async () => {
    if ('path' in found) api = await startCrdCluster(found.path);
  });
  after(async () => api?.stop());

  it('stays within its budget for the largest policy there can be', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal(await post(api, { kind: 'APIPolicy', name: 'largest', spec: largest() }), undefined);
  });

  it('finds the one unknown field at the end of the largest policy', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const said = await post(api, { kind: 'APIPolicy', name: 'largest', spec: largest({ expression, mesage: 'x' }) });
    assert.match(
      said ?? '',
      /unknown field spec\.authorization\.rules\[63\]\.deny\.when\[15\]\.mesage; known here: expression, message/,
    );
  });

  it('sees what a patch adds', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal(await post(api, { kind: 'APIRole', name: 'patched', spec: {} }, 'store'), undefined);
    const contentType = 'application/merge-patch+json';
    const path = `${ROLE}/patched?fieldValidation=Ignore`;
    const { status, body } = await api.call('PATCH', path, { spec: { inherit: [{ name: 'admin' }] } }, { contentType });
    assert.equal(status, 422);
    assert.match(
      (body as { message: string }).message,
      /unknown field spec\.inherit; known here: inherits, permissions$/,
    );
  });

  it('lets an object that was there before it lose its labels, but not change', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const old: SentObject = { kind: 'APIRole', name: 'old', spec: { plan: 'gold' } };
    await api.kubectl(['delete', 'validatingadmissionpolicybinding', 'apiroles.postern.dev']);
    await until(async () => (await post(api, old)) === undefined);
    assert.equal(await post(api, old, 'store'), undefined);
    await api.kubectl(['apply', '-f', ROLES]);
    await until(async () => (await post(api, { ...old, name: 'new' })) !== undefined);
    const patch = async (change: object): Promise<number> =>
      (await api.call('PATCH', `${ROLE}/old`, change, { contentType: 'application/merge-patch+json' })).status;
    assert.equal(await patch({ metadata: { labels: { team: 'shop' }, finalizers: null } }), 200);
    assert.equal(await patch({ spec: { inherits: [{ name: 'reader' }] } }), 422);
    assert.equal(await patch({ spec: { plan: null, inherits: [{ name: 'reader' }] } }), 200);
  });
});
