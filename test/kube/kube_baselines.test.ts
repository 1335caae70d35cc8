import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { closeClients } from '../door/client.ts';
import type { TestAgent } from '../envoy/harness.ts';
import { answer, type Cluster, startCluster } from './cluster.ts';

const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: open, namespace: shop}
spec:
  mode: Audit
  target: {hosts: [api.example.org]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const baseline = (when: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: platform}
spec:
  namespaceSelector: {matchLabels: {held: "yes"}}
  overrides: {authorization: {rules: [{name: reads, deny: {when: [{expression: "${when}"}]}}]}}
`;

/** It says nothing of authentication, and needs a method of that name. */
const BARE = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: bare, namespace: shop}
spec:
  target: {hosts: [bare.example.org]}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: out, deny: {groups: [out], via: [keys]}}]}
`;
const giving = (method: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: gives}
spec:
  namespaceSelector: {}
  defaults: {authentication: {anonymous: {}, methods: [{name: ${method}, apiKey: {}}]}}
`;

describe('baselines in a cluster', async () => {
  const found = await obtainKubernetes();
  let cluster: Cluster;
  let agent: TestAgent;

  before(async () => {
    if (!('path' in found)) return;
    cluster = await startCluster(found.path);
    await cluster.apply(`${POLICY}---${baseline("request.method == 'GET'")}`);
    agent = await cluster.agent();
  });
  after(async () => {
    closeClients();
    await cluster?.stop();
  });

  const label = (text: string) => cluster.api.kubectl(['label', 'namespace', 'shop', text, '--overwrite']);
  const accepted = async (): Promise<string | undefined> => {
    const { stdout } = await cluster.api.kubectl(['get', 'abase', 'platform', '-o', 'json']);
    const { status } = JSON.parse(stdout) as {
      readonly status?: { readonly instances?: readonly { readonly conditions: readonly Record<string, string>[] }[] };
    };
    return status?.instances?.[0]?.conditions.find(({ type }) => type === 'Accepted')?.status;
  };

  it('hold a namespace as long as it has the labels that they select by', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal(await answer(agent), 200);
    await label('held=yes');
    await until(async () => (await answer(agent)) === 403);
    await label('held-');
    await until(async () => (await answer(agent)) === 200);
    await label('held=yes');
    await until(async () => (await answer(agent)) === 403);
  });

  it('hold with their last good spec while the newest is wrong, also after a restart', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await until(async () => (await accepted()) === 'True');
    await cluster.apply(baseline("context.mine == 'x'"));
    await until(async () => (await accepted()) === 'False');
    assert.equal(await answer(agent), 403);
    await agent.stop();
    agent = await cluster.agent();
    assert.equal(await answer(agent), 403);
    await cluster.apply(baseline("request.method == 'PUT'"));
    await until(async () => (await answer(agent)) === 200);
  });

  it('leave a policy that a changed default breaks as it was served, by who runs and by who starts', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const bare = (): Promise<number> => answer(agent, { host: 'bare.example.org' });
    const said = async (): Promise<string> => {
      const { Accepted, Programmed } = await cluster.statusOf('apol', 'shop/bare');
      return `${Accepted}, ${Programmed}`;
    };
    await cluster.apply(`${giving('keys')}---${BARE}`);
    await until(async () => (await said()) === 'True Accepted, True Programmed');
    await cluster.apply(giving('partners'));
    await until(async () => (await said()) === 'False Invalid, False LastGoodServes');
    assert.equal(await bare(), 200);
    await agent.stop();
    agent = await cluster.agent();
    assert.equal(await bare(), 200);
    const [refused] = (await cluster.conditions('apol', 'shop/bare')).filter(({ type }) => type === 'Accepted');
    assert.match(refused?.message ?? '', /authentication is that of APIBaseline "gives"/);
    await cluster.apply(giving('keys'));
    await until(async () => (await said()) === 'True Accepted, True Programmed');
    assert.equal(await bare(), 200);
  });
});
