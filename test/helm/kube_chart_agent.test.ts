import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { promisify } from 'node:util';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { type ApiServer, startApiServer } from '../components/api-server.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { agentOf, CHART, helm, obtainedHelm, only, render } from './chart.ts';

const obtainedKubernetes = await obtainKubernetes();
const KEY = 'a-key-of-the-chart-0123456789';
const SECRET = 'a-secret-of-the-chart-0123456789';
const policy = (className: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${className}, namespace: shop}
spec:
  className: ${className}
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const GRANT = `
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: shop}
spec: {hosts: [api.example.org], namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: shop}}}
`;
const CONSUMER = `
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}, {name: s, secretRef: {name: acme, key: plain}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: acme, namespace: shop, annotations: {postern.dev/used-by: APIConsumer/acme}}
type: postern.dev/credential
stringData: {plain: ${SECRET}}
`;
/** A release that watches the cluster and may read Secrets, and one that watches one namespace and may not. */
const RELEASES = {
  postern: { secretNamespaces: ['shop'] },
  edge: { className: 'edge', namespaces: ['shop'], crds: { install: 'Never' } },
} as const;
type Release = keyof typeof RELEASES;

describe('an agent with a release’s arguments and rights', {
  skip: skipWithout(obtainedKubernetes) || skipWithout(obtainedHelm),
}, () => {
  let api: ApiServer;
  const agents = new Map<Release, AgentProcess>();

  before(async () => {
    api = await startApiServer('path' in obtainedKubernetes ? obtainedKubernetes.path : '');
    for (const namespace of ['infra', 'shop']) await kubectl(['create', 'namespace', namespace]);
    for (const [release, values] of Object.entries(RELEASES)) {
      const args = ['install', release, CHART, '-n', 'infra'];
      const { code, stderr } = await helm(args, { values, kubeconfig: api.kubeconfig });
      assert.equal(code, 0, stderr);
    }
    await until(async () => (await api.kubectl(['get', 'postern', '-A'])).code === 0);
    await kubectl(['apply', '-f', '-'], `${GRANT}---${policy('postern')}---${policy('edge')}---${CONSUMER}`);
    for (const release of Object.keys(RELEASES) as Release[]) agents.set(release, await start(release));
    await Promise.all([...agents.values()].map(({ ready }) => ready));
  });
  after(async () => {
    closeClients();
    await Promise.all([...agents.values()].map((agent) => agent.stop()));
    await api?.stop();
  });

  async function kubectl(args: readonly string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await api.kubectl(args, stdin);
    assert.equal(code, 0, stderr);
    return stdout;
  }

  /** As its Pod would: the container's arguments, the token of its account, and no other right. */
  async function start(release: Release): Promise<AgentProcess> {
    const objects = await render({ ...RELEASES[release], crds: { install: 'Never' } }, release);
    const account = only(objects, 'Deployment').spec.template.spec.serviceAccountName as string;
    const token = (await kubectl(['create', 'token', account, '-n', 'infra'])).trim();
    const kubeconfig = api.kubeconfigFor(account, token);
    await kubectl(['config', 'set-context', 'test', '--namespace=infra', '--kubeconfig', kubeconfig]);
    const args = [...(agentOf(objects).args as string[]), `--kubeconfig=${kubeconfig}`];
    return startAgentProcess(onLoopback(args));
  }

  const agent = (release: Release): AgentProcess => {
    const found = agents.get(release);
    assert.ok(found);
    return found;
  };
  const code = async (release: Release, key: string): Promise<number> =>
    (await checkOver(agent(release).grpcAddress, { host: 'api.example.org', headers: { 'x-api-key': key } })).http;

  it('decides by what kubectl applied', async () => {
    assert.deepEqual([await code('postern', KEY), await code('postern', 'wrong')], [200, 401]);
    assert.deepEqual([await code('edge', KEY), await code('edge', 'wrong')], [200, 401]);
  });

  it('reads Secrets where the release names the namespace, and nowhere else', async () => {
    assert.deepEqual([await code('postern', SECRET), await code('edge', SECRET)], [200, 401]);
  });

  for (const release of Object.keys(RELEASES) as Release[]) {
    it(`writes status and holds its lease: ${release}`, async () => {
      const path = 'jsonpath={.status.conditions[?(@.type=="Programmed")].status}';
      await until(async () => (await kubectl(['get', 'apol', release, '-n', 'shop', '-o', path])) === 'True');
      await kubectl(['get', 'lease', `postern-status-${release}`, '-n', 'infra']);
    });
  }

  it('is refused nothing, save the Secrets that it was not given', () => {
    const refused = [...agents].flatMap(([release, { lines }]) =>
      lines
        .filter(({ why }) => /forbidden/i.test(String(why)))
        .map(({ why }) => `${release} ${/cannot \w+ resource "(\w+)"/.exec(String(why))?.[1]}`),
    );
    assert.deepEqual([...new Set(refused)].sort(), ['edge secrets']);
  });

  it('passes the test of the release, which says in words when there is none', async () => {
    const { command } = only(await render({ crds: { install: 'Never' } }), 'Pod').spec.containers[0];
    const [, evaluate, script] = command as string[];
    const ports = (['grpcAddress', 'adminAddress'] as const).map(
      (name) => agent('postern')[name].split(':').at(-1) ?? '',
    );
    const run = (args: readonly string[]) =>
      promisify(execFile)(process.execPath, [evaluate ?? '', script ?? '', '--', ...args]);
    const { stdout } = await run(['127.0.0.1', ...ports, 'false']);
    assert.equal(stdout, `127.0.0.1:${ports[0]} serves checks.\n`);
    await assert.rejects(run(['127.0.0.1', '1', '1', 'false']), /127\.0\.0\.1 does not answer/);
  });

  it('drains on SIGTERM and ends with 0', async () => assert.equal(await agent('edge').stop(), 0));
});
