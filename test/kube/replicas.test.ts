import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { closeClients } from '../door/client.ts';
import { answer, type Cluster, startCluster } from './cluster.ts';

const policy = (host: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [${host}]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const ROLE = `
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: reader, namespace: shop}
spec: {permissions: [{name: read, allPolicies: {}}]}
`;
/** A Lease lapses after 15 s. */
const TAKE_OVER_MS = 60_000;

const found = await obtainKubernetes();

describe('agents on one API server', { skip: skipWithout(found) }, () => {
  let cluster: Cluster;
  const replicas: AgentProcess[] = [];

  before(async () => {
    cluster = await startCluster('path' in found ? found.path : '');
  });
  after(async () => {
    closeClients();
    await Promise.all(replicas.map((replica) => replica.kill()));
    await cluster?.stop();
  });

  /** As a process of its own, with a token of its own. */
  async function startReplica(user: string): Promise<AgentProcess> {
    const { kubeconfig } = cluster.api.addToken(user, ['agents']);
    const flags = ['--kube', `--kubeconfig=${kubeconfig}`, '--host-grants=first-come', '--client-address=direct'];
    const replica = await startAgentProcess(onLoopback(['serve', ...flags]));
    replicas.push(replica);
    await replica.ready;
    return replica;
  }

  /** Applies the policy for this host and waits until its status says that this generation is programmed. */
  async function programmed(host: string, withinMs?: number): Promise<void> {
    await cluster.apply(policy(host));
    const { stdout } = await cluster.api.kubectl([
      'get',
      'apol',
      'orders',
      '-n',
      'shop',
      '-o',
      'jsonpath={.metadata.generation}',
    ]);
    await until(async () => {
      const said = await cluster.conditions('apol', 'shop/orders');
      return said.some(
        ({ type, status, observedGeneration }) =>
          type === 'Programmed' && status === 'True' && String(observedGeneration) === stdout,
      );
    }, withinMs);
  }

  async function writesOf({ adminAddress }: AgentProcess): Promise<number> {
    const text = await (await fetch(`http://${adminAddress}/metrics`)).text();
    return Number(/^postern_status_writes_total\{result="success"\} (\d+)$/m.exec(text)?.[1]);
  }

  /** The process that the Lease names. */
  async function holder(): Promise<number> {
    const path = 'jsonpath={.spec.holderIdentity}';
    const { stdout } = await cluster.api.kubectl([
      'get',
      'lease',
      'postern-status-postern',
      '-n',
      'default',
      '-o',
      path,
    ]);
    return Number(/-(\d+)_/.exec(stdout)?.[1]);
  }

  it('has one replica write status, and another one once that is killed', async () => {
    const [one, other] = [await startReplica('one'), await startReplica('other')];
    for (const host of ['a.test', 'b.test', 'c.test']) await programmed(host);
    const [writer, idle] = (await holder()) === one.pid ? [one, other] : [other, one];
    assert.equal(await holder(), writer.pid);
    assert.ok((await writesOf(writer)) >= 3);
    assert.equal(await writesOf(idle), 0);
    await writer.kill();
    await programmed('d.test', TAKE_OVER_MS);
    assert.equal(await holder(), idle.pid);
    assert.ok((await writesOf(idle)) >= 1);
    await idle.stop();
    assert.ok(Number.isNaN(await holder()), 'it gave the Lease back');
  });

  it('goes on with a token that was replaced on disk, after the old one is revoked', async () => {
    const { api } = cluster;
    const old = api.addToken('rotated', ['agents']);
    const kubeconfig = join(dirname(old.kubeconfig), 'rotated.kubeconfig');
    const tokenFile = join(dirname(old.kubeconfig), 'rotated.token');
    const config = parse(readFileSync(old.kubeconfig, 'utf8')) as { users: { user: object }[] };
    for (const entry of config.users) entry.user = { tokenFile: 'rotated.token' };
    writeFileSync(kubeconfig, JSON.stringify(config));
    writeFileSync(tokenFile, `${old.token}\n`);
    const agent = await cluster.agent({}, { ...old, kubeconfig });
    await programmed('before.test');
    writeFileSync(tokenFile, `${api.addToken('rotated', ['agents']).token}\n`);
    old.revoke();
    await until(async () => (await api.call('GET', '/version', undefined, { token: old.token })).status === 401);
    await programmed('after.test');
    assert.equal(await answer(agent, { host: 'after.test' }), 200);
    // Watches were opened with the old token; new ones are not.
    await api.kill();
    await api.restart();
    await programmed('restarted.test', TAKE_OVER_MS);
    assert.equal(await answer(agent, { host: 'restarted.test' }), 200);
    assert.deepEqual(
      agent.lines.filter(({ why }) => /unauthorized/i.test(String(why))),
      [],
    );
    const address = agent.debugAddress;
    assert.ok(address?.kind === 'tcp');
    const problems = async (): Promise<unknown> => {
      const page = await fetch(`http://127.0.0.1:${address.port}/debug/policies`);
      return ((await page.json()) as { sourceProblems: unknown }).sourceProblems;
    };
    await until(async () => JSON.stringify(await problems()) === '[]', TAKE_OVER_MS);
    await agent.stop();
  });

  it('says on its objects that a definition is of another version', async () => {
    await cluster.apply(ROLE);
    const { code, stderr } = await cluster.api.kubectl([
      'annotate',
      '--overwrite',
      'crd',
      'apiroles.postern.dev',
      'postern.dev/schema-digest=0',
    ]);
    assert.equal(code, 0, stderr);
    const agent = await cluster.agent();
    await until(async () => (await cluster.statusOf('arole', 'shop/reader')).Warning === 'True SchemaOutdated');
    assert.equal((await cluster.statusOf('apol', 'shop/orders')).Warning, undefined);
    assert.deepEqual(
      agent.lines.flatMap(({ definitions }) => (definitions === undefined ? [] : [definitions])),
      [['apiroles.postern.dev']],
    );
    await agent.stop();
  });
});
