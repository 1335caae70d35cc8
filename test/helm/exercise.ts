import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { SIDECAR_DEFAULTS, sidecarOf } from '../../internal/inject/sidecar.ts';
import { API_VERSION, isClusterScoped, KINDS, type KindName } from '../../internal/policy/resource/kinds.ts';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import type { ApiServer } from '../components/api-server.ts';
import { until } from '../components/until.ts';
import { type Container, PodVolumes, startSidecar } from '../sidecar/sidecar.ts';
import { CHART, helm, type Rendered, render } from './chart.ts';
import { grantedTo, type Used, usedBy } from './rights.ts';

const NAMESPACE = 'infra';
/** Everything that has roles is switched on in the first release; the second one watches a namespace alone. */
const RELEASES = {
  postern: { secretNamespaces: ['shop'], sidecar: { enabled: true, namespaces: ['shop'] } },
  narrow: { className: 'narrow', namespaces: ['shop'], secretNamespaces: ['shop'] },
} as const;
/** Who writes statuses: the two gateways, and the one for the sidecars. */
const WRITERS = ['postern', 'narrow-postern', 'postern-sidecars'].map(
  (name) => `system:serviceaccount:${NAMESPACE}:${name}`,
);
/** A Pod's own account: a sidecar has no other. */
const ACCOUNTS = [...WRITERS, 'system:serviceaccount:shop:default'];
const CONFLICT_MS = 120_000;
/** Longer than a writer waits for other replicas before it writes. */
const LABELS_MS = 2000;

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
kind: APIPolicy
metadata: {name: narrow, namespace: shop}
spec:
  className: narrow
  target: {hosts: [narrow.example.org]}
  authentication: {anonymous: {}}
---
apiVersion: ${API_VERSION}
kind: APIPolicy
metadata: {name: pods, namespace: shop}
spec:
  className: sidecar
  target: {workloadSelector: {matchLabels: {app: orders}}}
  authentication: {anonymous: {}}
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

/** What a ServiceAccount was given, and what it did. */
export interface Exercised extends Used {
  readonly account: string;
  readonly granted: ReadonlySet<string>;
}

/**
 * Runs whoever has rights by the chart under its own account: two gateways that watch all namespaces, one that watches
 * one, a sidecar, and the instance that writes the status of sidecars. Has them do all that they ever do, and tells which
 * rights they used: lists, watches, statuses, a status that meets a newer object, leases that are taken over and given
 * back.
 */
export async function exerciseRights(api: ApiServer): Promise<readonly Exercised[]> {
  const [wide, narrow] = await install(api);
  const volumes = new PodVolumes();
  volumes.relabel({ app: 'orders' });
  const agents: AgentProcess[] = [];
  try {
    const gateway = deploymentOf(wide, 'postern');
    for (const one of [
      gateway,
      gateway,
      deploymentOf(wide, 'postern-sidecars'),
      deploymentOf(narrow, 'narrow-postern'),
    ])
      agents.push(await startDeployed(api, one));
    agents.push(await startInjected(api, volumes));
    await Promise.all(agents.map(({ ready }) => ready));
    await meetConflicts(api, WRITERS);
    for (const agent of agents) assert.equal(await agent.stop(), 0);
  } finally {
    for (const agent of agents) await agent.kill();
    volumes.remove();
  }
  const events = api.audited();
  return ACCOUNTS.map((account) => ({
    account,
    granted: grantedTo(account, [...wide, ...narrow]),
    ...usedBy(account, events),
  }));
}

async function kubectl(api: ApiServer, args: readonly string[], stdin?: string): Promise<string> {
  const { code, stdout, stderr } = await api.kubectl(args, stdin);
  assert.equal(code, 0, stderr);
  return stdout;
}

/** Both releases, and an object of every kind; resolves with what the chart made of each. */
async function install(api: ApiServer): Promise<[wide: readonly Rendered[], narrow: readonly Rendered[]]> {
  for (const namespace of [NAMESPACE, 'shop']) await kubectl(api, ['create', 'namespace', namespace]);
  // As its controller would, which does not run here.
  await kubectl(api, ['create', 'serviceaccount', 'default', '-n', 'shop']);
  for (const [release, values] of Object.entries(RELEASES)) {
    const installed = await helm(['install', release, CHART, '-n', NAMESPACE], { values, kubeconfig: api.kubeconfig });
    assert.equal(installed.code, 0, installed.stderr);
  }
  await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0);
  await kubectl(api, ['apply', '-f', '-'], OBJECTS);
  return Promise.all([render(RELEASES.postern), render(RELEASES.narrow, 'narrow')]);
}

const deploymentOf = (objects: readonly Rendered[], name: string): Rendered =>
  objects.find(({ kind, metadata }) => kind === 'Deployment' && metadata.name === name) ?? assert.fail(name);

async function kubeconfigOf(api: ApiServer, namespace: string, name: string): Promise<string> {
  const token = (await kubectl(api, ['create', 'token', name, '-n', namespace])).trim();
  const kubeconfig = api.kubeconfigFor(`${namespace}-${name}`, token);
  await kubectl(api, ['config', 'set-context', 'test', `--namespace=${namespace}`, '--kubeconfig', kubeconfig]);
  return kubeconfig;
}

/** The agent of a Deployment of the chart. */
async function startDeployed(api: ApiServer, { spec }: Rendered): Promise<AgentProcess> {
  const { serviceAccountName, containers } = spec.template.spec;
  const kubeconfig = await kubeconfigOf(api, NAMESPACE, serviceAccountName as string);
  return startAgentProcess(onLoopback([...(containers[0].args as string[]), `--kubeconfig=${kubeconfig}`]));
}

/** The sidecar of a Pod that runs as the account which every namespace has. */
async function startInjected(api: ApiServer, volumes: PodVolumes): Promise<AgentProcess> {
  const { container } = sidecarOf({ ...SIDECAR_DEFAULTS, image: 'postern' });
  const kubeconfig = await kubeconfigOf(api, 'shop', 'default');
  return startSidecar(container as unknown as Container, volumes, { namespace: 'shop', kubeconfig });
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

/** A status meets an object that somebody labelled since it was seen, and is read again: once of every kind and writer. */
async function meetConflicts(api: ApiServer, writers: readonly string[]): Promise<void> {
  const contentType = 'application/merge-patch+json';
  for (const { kind, plural } of Object.values(KINDS)) {
    const names = kind === 'APIPolicy' ? ['all', 'narrow', 'pods'] : ['all'];
    const patch = async (name: string, body: object): Promise<void> => {
      const path = `/apis/${API_VERSION}/${isClusterScoped(kind) ? '' : 'namespaces/shop/'}${plural}/${name}`;
      const { status, body: said } = await api.call('PATCH', path, body, { contentType });
      assert.equal(status, 200, JSON.stringify(said));
    };
    /** Whatever the moment at which a writer comes, the object is another one by then. */
    const labelOn = async (name: string, by: number, untilMs: number): Promise<void> => {
      for (let turn = 0; performance.now() < untilMs; turn += 1)
        await patch(name, { metadata: { labels: { [`by-${by}`]: String(turn) } } });
    };
    const isLeft = (writer: string): boolean => !usedBy(writer, api.audited()).rights.has(`get ${plural}.postern.dev`);
    const giveUpMs = performance.now() + CONFLICT_MS;
    let left = writers;
    for (let turn = 0; left.length > 0; turn += 1) {
      assert.ok(performance.now() < giveUpMs, `no status of ${plural} met a conflict: ${left.join()}`);
      await Promise.all(names.map((name) => patch(name, { spec: CHANGES[kind](turn) })));
      const untilMs = performance.now() + LABELS_MS;
      await Promise.all(names.flatMap((name) => [labelOn(name, 1, untilMs), labelOn(name, 2, untilMs)]));
      left = left.filter(isLeft);
    }
  }
}

/** Rights that nobody used, each with whose it is. */
export const excess = (exercised: readonly Exercised[]): readonly string[] =>
  exercised.flatMap(({ account, granted, rights }) =>
    [...granted].filter((one) => !rights.has(one)).map((one) => `${account}: ${one}`),
  );

/** What was asked for and refused, each with who asked. */
export const missing = (exercised: readonly Exercised[]): readonly string[] =>
  exercised.flatMap(({ account, refused }) => refused.map((one) => `${account}: ${one}`));
