import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { type Cluster, RULES, startCluster } from './cluster.ts';

const policy = (name: string, hosts: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: ${name}, namespace: shop}
spec:
  target: {hosts: [${hosts}], paths: ["/v1/{id}/**", "/it-s"]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const consumer = (name: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: ${name}, namespace: shop}
spec: {keys: [{name: k, secretRef: {name: ${name}-key, key: k2}}]}
`;

describe('the commands that a status prints', async () => {
  const found = await obtainKubernetes();
  let cluster: Cluster;
  /** Keys that were typed: two consumers may not have the same. */
  let typed = 0;
  const home = mkdtempSync(join(tmpdir(), 'postern-commands-'));

  before(async () => {
    if (!('path' in found)) return;
    cluster = await startCluster(found.path);
    await cluster.agent({ 'host-grants': 'required' }, cluster.api.addToken('agent', ['system:masters']));
  });
  after(async () => {
    await cluster?.stop();
    rmSync(home, { recursive: true, force: true });
  });

  /** What a condition says, once it says that something is wrong. */
  async function said(kind: string, place: string, type: string, status: string): Promise<string> {
    let message = '';
    await until(async () => {
      const condition = (await cluster.conditions(kind, place)).find((one) => one.type === type);
      message = condition?.message ?? '';
      return condition?.status === status;
    });
    return message;
  }

  const is = async (kind: string, place: string, type: string): Promise<string | undefined> =>
    (await cluster.statusOf(kind, place))[type];

  /** Runs it as somebody does who copied it, and types the key that it asks for. */
  function run(command: string, key?: string): Promise<void> {
    const binaries = 'path' in found ? found.path : '';
    const env = { PATH: `${binaries}:${process.env.PATH}`, HOME: home, KUBECONFIG: cluster.api.kubeconfig };
    return new Promise((resolve, reject) => {
      const child = execFile('/bin/sh', ['-c', command], { env }, (error, _stdout, stderr) =>
        error === null ? resolve() : reject(new Error(stderr)),
      );
      typed += 1;
      child.stdin?.end(`${key ?? `pk_0123456789abcdef${typed}`}\n`);
    });
  }

  it('grant a policy all hosts and paths that it lacks, and no more', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await cluster.apply(policy('orders', 'a.example.org, "*.b.example.org"'));
    const message = await said('apol', 'shop/orders', 'Accepted', 'False');
    const [, command = ''] = /have the platform run (.*)$/s.exec(message) ?? [];
    await run(command);
    await until(async () => (await is('apol', 'shop/orders', 'Accepted')) === 'True Accepted');
    await cluster.apply(policy('orders', 'a.example.org, "*.b.example.org", d.example.org'));
    const again = await said('apol', 'shop/orders', 'Accepted', 'False');
    assert.match(again, /gives this namespace [^:]* of "d\.example\.org":/, 'what was added, and nothing else');
    const [, second = ''] = /have the platform run (.*)$/s.exec(again) ?? [];
    for (let time = 0; time < 2; time += 1) await run(second);
    await until(async () => (await is('apol', 'shop/orders', 'Accepted')) === 'True Accepted');
    await cluster.apply(policy('more', 'c.example.org'));
    assert.match(await said('apol', 'shop/more', 'Accepted', 'False'), /gives this namespace .* of "c\.example\.org":/);
  });

  it('give an agent the rights to write statuses, which its log says that it lacks', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const user = 'system:serviceaccount:default:bare';
    const rules = RULES.split('\n').filter((line) => !line.includes('/status'));
    await cluster.apply(`
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRole
metadata: {name: bare}
rules: ${rules.join('\n')}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: ClusterRoleBinding
metadata: {name: bare}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: ClusterRole, name: bare}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: "${user}"}]
`);
    for (const name of ['bare', 'bare-too'])
      await cluster.apply(policy(name, `${name}.example.org`).replace('spec:', 'spec:\n  className: bare'));
    const agent = await cluster.agent({ class: 'bare', namespace: 'shop' }, cluster.api.addToken(user));
    const done = new Set<string>();
    await until(async () => {
      for (const { why } of agent.lines) {
        const [command] = /kubectl (-n \S+ )?create (cluster)?role .*$/s.exec(String(why)) ?? [];
        if (command === undefined || done.has(command)) continue;
        done.add(command);
        await run(command.replaceAll('AGENT_NAMESPACE', 'default').replaceAll('AGENT_SERVICE_ACCOUNT', 'bare'));
      }
      return (await is('apol', 'shop/bare', 'Accepted')) === 'True Accepted';
    }, 60_000);
    const roles = [...done].map((command) => /create (cluster)?role /.exec(command)?.[0]);
    assert.deepEqual(roles.toSorted(), ['create clusterrole ', 'create role ']);
    const isOver = ({ message, resource }: Readonly<Record<string, unknown>>): boolean =>
      /answers as it should again/.test(String(message)) && resource === 'apipolicies/status';
    await until(() => agent.lines.some(isOver), 60_000);
    await agent.stop();
  });

  it('make a Secret that is not there, and mend one that is wrong', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    for (const made of [
      [],
      ['generic', 'opaque-key', '--from-literal=k2=0123456789abcdef'],
      ['generic', 'typed-key', '--type=postern.dev/credential', '--from-literal=other=0123456789abcdef'],
    ]) {
      const name = made[1]?.replace('-key', '') ?? 'absent';
      if (made.length > 0) await run(`kubectl -n shop create secret ${made.join(' ')}`);
      await cluster.apply(consumer(name));
      const message = await said('acon', `shop/${name}`, 'ResolvedRefs', 'False');
      const at = message.search(/NEW_KEY=\$\(|kubectl /);
      assert.notEqual(at, -1, message);
      if (message.includes('NEW_KEY'))
        for (const short of ['', 'pk_0123456789ab'])
          await assert.rejects(
            run(message.slice(at), short),
            /: \nA key has at least 16 characters: nothing is done\n/,
          );
      await run(message.slice(at));
      await until(async () => (await is('acon', `shop/${name}`, 'ResolvedRefs')) === 'True ResolvedRefs');
    }
  });

  it('give a grant and a baseline a namespace where they select none', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const selector = 'namespaceSelector: {matchLabels: {team: carts}}';
    await cluster.apply(`
apiVersion: postern.dev/v1alpha1
kind: HostGrant
metadata: {name: carts}
spec: {hosts: [carts.example.org], ${selector}}
---
apiVersion: postern.dev/v1alpha1
kind: APIBaseline
metadata: {name: carts}
spec: {${selector}, overrides: {require: {tls: {}}}}
`);
    for (const kind of ['hgrant', 'abase'])
      await until(async () => (await is(kind, '/carts', 'Warning')) === 'True SelectsNobody');
    const message = await said('hgrant', '/carts', 'Warning', 'True');
    const [command = ''] = /kubectl label [^,]*/.exec(message) ?? [];
    await run(command.replace('NAMESPACE', 'shop'));
    for (const kind of ['hgrant', 'abase'])
      await until(async () => !/SelectsNobody/.test((await is(kind, '/carts', 'Warning')) ?? ''));
  });
});
