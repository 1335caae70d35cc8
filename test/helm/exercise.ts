import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { API_VERSION, isClusterScoped, KINDS, type KindName } from '../../internal/policy/resource/kinds.ts';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import type { ApiServer } from '../components/api-server.ts';
import { until } from '../components/until.ts';
import { agentOf, CHART, helm, only, render } from './chart.ts';
import { grantedBy, type Used, usedBy } from './rights.ts';

const NAMESPACE = 'infra';
const VALUES = { secretNamespaces: ['shop'] };
const CONFLICT_MS = 60_000;

/** An object of every kind, and a Secret that one of them names. */
const OBJECTS = `
apiVersion: ${API_VERSION}
kind: HostGrant
metadata: {name: all}
spec: {hosts: ["*.example.org"], namespaceSelector: {}}
---
apiVersion: ${API_VERSION}
kind: APIBaseline
metadata: {name: all}
spec: {namespaceSelector: {}, defaults: {auditLog: {allows: {percent: 1}}}}
---
apiVersion: ${API_VERSION}
kind: APIPolicy
metadata: {name: all, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: all, allow: {roles: [all]}}]}
---
apiVersion: ${API_VERSION}
kind: APIConsumer
metadata: {name: all, namespace: shop}
spec: {keys: [{name: k, sha256: ${hash('sha256', 'a-key-of-the-rights-0123456789', 'hex')}}, {name: s, secretRef: {name: all, key: plain}}]}
---
apiVersion: ${API_VERSION}
kind: APIRole
metadata: {name: all, namespace: shop}
spec: {permissions: [{name: all, allPolicies: {}}]}
---
apiVersion: ${API_VERSION}
kind: APIRoleBinding
metadata: {name: all, namespace: shop}
spec: {roleRef: {name: all}, subjects: [{consumer: {name: all}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: all, namespace: shop, annotations: {postern.dev/used-by: APIConsumer/all}}
type: postern.dev/credential
stringData: {plain: a-secret-of-the-rights-0123456789}
`;

export interface Exercised extends Used {
  readonly granted: ReadonlySet<string>;
}

/**
 * Runs two agents under the roles of a release, has them do all that an agent ever does, and tells which rights they
 * used: lists, watches, statuses, a status that meets a newer object, leases that are taken over and given back.
 */
export async function exerciseRights(api: ApiServer): Promise<Exercised> {
  const run = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  };
  for (const namespace of [NAMESPACE, 'shop']) await run(['create', 'namespace', namespace]);
  const installed = await helm(['install', 'postern', CHART, '-n', NAMESPACE], {
    values: VALUES,
    kubeconfig: api.kubeconfig,
  });
  assert.equal(installed.code, 0, installed.stderr);
  await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0);
  const objects = await render(VALUES);
  const account = only(objects, 'Deployment').spec.template.spec.serviceAccountName as string;
  await run(['apply', '-f', '-'], OBJECTS);
  const start = async (): Promise<AgentProcess> => {
    const kubeconfig = api.kubeconfigFor(account, (await run(['create', 'token', account, '-n', NAMESPACE])).trim());
    await run(['config', 'set-context', 'test', `--namespace=${NAMESPACE}`, '--kubeconfig', kubeconfig]);
    const agent = await startAgentProcess(
      onLoopback([...(agentOf(objects).args as string[]), `--kubeconfig=${kubeconfig}`]),
    );
    await agent.ready;
    return agent;
  };
  const agents = [await start(), await start()];
  const user = `system:serviceaccount:${NAMESPACE}:${account}`;
  const used = (): Used => usedBy(user, api.audited());
  try {
    await meetConflicts(api, used);
    for (const agent of agents) assert.equal(await agent.stop(), 0);
  } finally {
    for (const agent of agents) await agent.kill();
  }
  return { granted: grantedBy(objects), ...used() };
}

/** What changes in the spec of a kind, so that its status has a newer generation to tell of. */
const CHANGES: Readonly<Record<KindName, (turn: number) => object>> = {
  APIPolicy: (turn) => ({ mode: turn % 2 === 0 ? 'Audit' : 'Enforce' }),
  APIConsumer: (turn) => ({ groups: [`g${turn}`] }),
  APIRole: (turn) => ({ permissions: [{ name: `p${turn}`, allPolicies: {} }] }),
  APIRoleBinding: (turn) => ({ subjects: [{ consumerGroup: { name: `g${turn}` } }] }),
  HostGrant: (turn) => ({ paths: [`/${turn}/**`] }),
  APIBaseline: (turn) => ({ precedence: turn }),
};

/** A status meets an object that somebody labelled since it was seen, and is read again: once of every kind. */
async function meetConflicts(api: ApiServer, used: () => Used): Promise<void> {
  const contentType = 'application/merge-patch+json';
  for (const { kind, plural } of Object.values(KINDS)) {
    const path = `/apis/${API_VERSION}/${isClusterScoped(kind) ? '' : 'namespaces/shop/'}${plural}/all`;
    const patch = async (body: object): Promise<void> => {
      const { status, body: said } = await api.call('PATCH', path, body, { contentType });
      assert.equal(status, 200, JSON.stringify(said));
    };
    const giveUpMs = performance.now() + CONFLICT_MS;
    for (let turn = 0; !used().rights.has(`get ${plural}.postern.dev`); turn += 1) {
      assert.ok(performance.now() < giveUpMs, `no status of ${plural} met a conflict`);
      await patch({ spec: CHANGES[kind](turn) });
      for (let label = 0; label < 20; label += 1) await patch({ metadata: { labels: { turn: `${turn}-${label}` } } });
    }
  }
}

/** Rights that nobody used. */
export const excess = ({ granted, rights }: Exercised): readonly string[] =>
  [...granted].filter((one) => !rights.has(one)).sort();
