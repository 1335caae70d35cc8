import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import type { ApiServer } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { closeClients } from '../door/client.ts';
import type { TestAgent } from '../envoy/harness.ts';
import { answer, type Cluster, type Condition, startCluster } from './cluster.ts';

const KEY = 'a-key-of-the-cluster-0123456789';
const SECRET = 'a-secret-of-the-cluster-0123456789';
const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: all, allow: {roles: [reader]}}]}
`;
const REST = `
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {groups: [partners], keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}, {name: s, secretRef: {name: acme, key: plain}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: reader, namespace: shop}
spec: {permissions: [{name: read, policyRefs: [{name: orders}], methods: [GET]}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRoleBinding
metadata: {name: readers, namespace: shop}
spec: {roleRef: {name: reader}, subjects: [{consumerGroup: {name: partners}}]}
`;
const OFFERED = `
apiVersion: v1
kind: Secret
metadata: {name: acme, namespace: shop, annotations: {postern.dev/used-by: APIConsumer/acme}}
type: postern.dev/credential
stringData: {plain: ${SECRET}}
`;
describe('an agent in a cluster, as a user with no rights but its own', async () => {
  const found = await obtainKubernetes();
  let cluster: Cluster;
  let api: ApiServer;
  let agent: TestAgent;

  before(async () => {
    if (!('path' in found)) return;
    cluster = await startCluster(found.path);
    api = cluster.api;
    await cluster.apply(`${POLICY}---${REST}---${OFFERED}`);
    agent = await cluster.agent();
  });
  after(async () => {
    closeClients();
    await cluster?.stop();
  });

  const apply = (yaml: string): Promise<void> => cluster.apply(yaml);
  const code = (key: string, host?: string): Promise<number> => answer(agent, { key, ...(host && { host }) });
  const conditions = (kind: string, name: string): Promise<readonly Condition[]> =>
    cluster.conditions(kind, `shop/${name}`);
  const statusOf = (kind: string, name: string): Promise<Readonly<Record<string, string>>> =>
    cluster.statusOf(kind, `shop/${name}`);

  it('decides by what kubectl applied', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal(await code(KEY), 200);
    assert.equal(await code('wrong'), 401);
    assert.equal(await code(KEY, 'other.test'), 404);
  });

  it('writes status: accepted, resolved, programmed, with the hosts it holds', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await until(async () => (await statusOf('apol', 'orders')).Programmed !== undefined);
    assert.deepEqual(await statusOf('apol', 'orders'), {
      Accepted: 'True Accepted',
      ResolvedRefs: 'True ResolvedRefs',
      Programmed: 'True Programmed',
    });
    const { stdout } = await api.kubectl(['get', 'apol', 'orders', '-n', 'shop', '-o', 'jsonpath={.status.hosts}']);
    assert.equal(stdout, '["api.example.org"]');
  });

  it('says which Secret it may not read, and reads it once it may', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await until(async () => (await statusOf('acon', 'acme')).ResolvedRefs === 'False SecretsNotReadable');
    assert.equal(await code(SECRET), 401);
    const said = (await conditions('acon', 'acme')).find(({ type }) => type === 'ResolvedRefs')?.message ?? '';
    // Here the agent is a user of a group, and no ServiceAccount.
    const commands = said.slice(said.indexOf('kubectl')).replace(/--serviceaccount=\S+/, '--group=agents');
    for (const command of commands.split(' && ')) await api.kubectl(command.split(' ').slice(1));
    await until(async () => (await code(SECRET)) === 200, 40_000);
    await until(async () => (await statusOf('acon', 'acme')).ResolvedRefs === 'True ResolvedRefs');
    await api.kubectl(['delete', 'secret', 'acme', '-n', 'shop']);
    await until(async () => (await code(SECRET)) === 401);
    assert.equal(await code(KEY), 200);
  });

  it('keeps the last good spec when a newer one is wrong, and says which field', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await apply(POLICY.replace('roles: [reader]', 'when: [{expression: "requst.method == 1"}]'));
    await until(async () => (await statusOf('apol', 'orders')).Accepted === 'False InvalidExpression');
    const accepted = (await conditions('apol', 'orders')).find(({ type }) => type === 'Accepted');
    assert.match(
      accepted?.message ?? '',
      /spec\.authorization\.rules\[0\]\.allow\.when\[0\]\.expression: 1:1.*did you mean "request"/s,
    );
    assert.equal((await statusOf('apol', 'orders')).Programmed, 'False LastGoodServes');
    assert.equal(await code(KEY), 200);
    await apply(POLICY);
    await until(async () => (await statusOf('apol', 'orders')).Programmed === 'True Programmed');
  });

  it('says what a role lacks', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await api.kubectl(['delete', 'arole', 'reader', '-n', 'shop']);
    await until(async () => (await code(KEY)) === 403);
    await until(async () => (await statusOf('apol', 'orders')).ResolvedRefs === 'False RoleNotFound');
    await apply(REST);
    await until(async () => (await code(KEY)) === 200);
  });

  it('refuses a host of another namespace', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await api.kubectl(['create', 'namespace', 'evil']);
    await apply(
      POLICY.replace('namespace: shop', 'namespace: evil')
        .replace('roles: [reader]', 'any: {}')
        .replace('methods: [{name: keys, apiKey: {}}]', 'anonymous: {}'),
    );
    await until(async () =>
      /HostConflict/.test((await api.kubectl(['get', 'apol', '-n', 'evil', '-o', 'yaml'])).stdout),
    );
    assert.equal(await code('wrong'), 401);
    await api.kubectl(['delete', 'apol', 'orders', '-n', 'evil']);
  });

  it('goes on without the API server, and catches up when it is back', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await api.kill();
    assert.equal(await code(KEY), 200);
    await api.restart();
    await apply(POLICY.replace('api.example.org', 'moved.example.org'));
    await until(async () => (await code(KEY, 'moved.example.org')) === 200, 40_000);
    assert.equal(await code(KEY), 404);
    await apply(POLICY);
    await until(async () => (await code(KEY)) === 200);
  });

  it('forgets what is deleted', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await api.kubectl(['delete', 'acon', 'acme', '-n', 'shop']);
    await until(async () => (await code(KEY)) === 401);
    await api.kubectl(['delete', 'apol', 'orders', '-n', 'shop']);
    await until(async () => (await code(KEY)) === 404);
  });
});
