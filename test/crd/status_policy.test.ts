import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { ApiServer, CallResult } from '../components/api-server.ts';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { startCrdCluster } from './crd-cluster.ts';

const POLICY = '/apis/postern.dev/v1alpha1/namespaces/evil/apipolicies/p';
const spec = {
  target: { hosts: ['bank.test'] },
  authentication: { anonymous: {} },
  authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
};
/** That it holds a host of a neighbour's. */
const FORGED = { hosts: ['bank.test'], accepted: { generation: 1, spec: 'H4sI' } };
const RIGHTS = `
apiVersion: v1
kind: Namespace
metadata: {name: evil}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: everything-of-postern}
rules: [{apiGroups: [postern.dev], resources: ["*"], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: tenant, namespace: evil}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: everything-of-postern}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: tenant}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: status-of-policies}
rules: [{apiGroups: [postern.dev], resources: [apipolicies, apipolicies/status], verbs: ["*"]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: operator}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: status-of-policies}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: operator}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: agent}
rules: [{apiGroups: [postern.dev], resources: [apipolicies/status, hostgrants/status], verbs: [patch]}]
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: agent}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: agent}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: agent}]
`;

describe('the status of a policy, by which hosts are held after a restart', async () => {
  const found = await obtainKubernetes();
  let api: ApiServer;
  const tokens = new Map<string, string>();

  before(async () => {
    if (!('path' in found)) return;
    api = await startCrdCluster(found.path);
    for (const user of ['tenant', 'operator', 'agent']) tokens.set(user, api.addToken(user).token);
    const { code, stderr } = await api.kubectl(['apply', '-f', '-'], RIGHTS);
    assert.equal(code, 0, stderr);
    // The tenant may write policies of its namespace, and their status as far as roles say.
    const object = { apiVersion: 'postern.dev/v1alpha1', kind: 'APIPolicy', metadata: { name: 'p' }, spec };
    await until(async () => (await as('tenant', 'POST', POLICY.slice(0, -2), object)).status === 201);
    await until(async () => (await forge('tenant', 'merge-patch')).status === 403, 60_000);
  });
  after(async () => api?.stop());

  function as(user: string, method: string, path: string, body: object, type = 'json'): Promise<CallResult> {
    const contentType = `application/${type}`;
    return api.call(method, path, body, { token: tokens.get(user) ?? '', contentType });
  }

  async function forge(user: string, how: 'merge-patch' | 'apply' | 'put'): Promise<CallResult> {
    const object = { apiVersion: 'postern.dev/v1alpha1', kind: 'APIPolicy', metadata: { name: 'p' }, status: FORGED };
    if (how === 'merge-patch') return as(user, 'PATCH', `${POLICY}/status`, { status: FORGED }, 'merge-patch+json');
    if (how === 'apply')
      return as(user, 'PATCH', `${POLICY}/status?fieldManager=postern-postern&force=true`, object, 'apply-patch+yaml');
    const { body } = await api.call('GET', POLICY);
    return as(user, 'PUT', `${POLICY}/status`, { ...(body as object), status: FORGED });
  }

  const recorded = async (): Promise<unknown> => ((await api.call('GET', POLICY)).body as { status?: unknown }).status;

  for (const how of ['merge-patch', 'apply', 'put'] as const) {
    it(`is forged by nobody with all rights of a namespace, nor with none but it in the cluster: ${how}`, async (t) => {
      if (requireComponent(found, t) === undefined) return;
      for (const user of ['tenant', 'operator']) {
        const { status, body } = await forge(user, how);
        assert.equal(status, 403);
        assert.match(
          (body as { message: string }).message,
          /the status of an APIPolicy tells who holds which host, and is the agent's to write: a ClusterRole has to allow/,
        );
      }
      assert.equal(await recorded(), undefined);
    });
  }

  it('comes with no policy that a tenant makes', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const object = {
      apiVersion: 'postern.dev/v1alpha1',
      kind: 'APIPolicy',
      metadata: { name: 'made' },
      spec,
      status: FORGED,
    };
    const { status, body } = await as('tenant', 'POST', POLICY.slice(0, -2), object);
    assert.deepEqual([status, (body as { status?: unknown }).status], [201, undefined]);
    const again = await as('tenant', 'PUT', POLICY.replace(/p$/, 'made'), { ...(body as object), status: FORGED });
    assert.deepEqual([again.status, (again.body as { status?: unknown }).status], [200, undefined]);
  });

  it('is written by an agent with the rights of the chart', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal((await forge('agent', 'apply')).status, 200);
    assert.deepEqual(await recorded(), FORGED);
  });
});
