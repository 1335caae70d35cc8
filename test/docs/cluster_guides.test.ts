import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { checkOnce } from '../../internal/app/check-once.ts';
import { DIGEST_ANNOTATION } from '../../internal/crd/generate.ts';
import type { AgentProcess } from '../cli/agent-process.ts';
import { postern } from '../cli/command.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { issue } from '../door/certificates.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { envoyBinary, type Front, startFront } from '../envoy/harness.ts';
import { obtainedHelm } from '../helm/chart.ts';
import { type GuideCluster, startGuideCluster } from './installed.ts';
import { blockOf, readPage } from './page.ts';

const kubernetes = await obtainKubernetes();
const envoy = await envoyBinary();
/** What needs a container engine, Pods or their logs: the commands around them are tried. */
const NOT_HERE = /^(docker |helm test |kubectl .*(rollout (status|restart)|logs|port-forward))/;
const PROGRAMMED = 'jsonpath={.status.conditions[?(@.type=="Programmed")].status}';

/** The commands of a block, without those that this machine has no component for. */
const commandsOf = (page: string, holding: string): string =>
  blockOf(`docs/${page}`, 'sh', holding)
    .split('\n')
    .filter((line) => !NOT_HERE.test(line))
    .join('\n');

/** The flags of a recipe, as this installation has them: its hosts belong to who comes first. */
const asHere = (flags: string): string[] =>
  flags.replace('--host-grants required', '--host-grants first-come').split(' ');

describe('guides to a cluster, followed word by word', {
  skip: skipWithout(kubernetes) || skipWithout(obtainedHelm) || skipWithout(envoy),
}, () => {
  let cluster: GuideCluster;
  let agent: AgentProcess;
  let front: Front;

  before(async () => {
    cluster = await startGuideCluster('path' in kubernetes ? kubernetes.path : '');
  });
  after(async () => {
    closeClients();
    await front?.stop();
    await cluster?.stop();
  });

  async function follow(page: string, holding: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
    const { code, stdout, stderr } = await cluster.shell(commandsOf(page, holding), env);
    assert.equal(code, 0, stderr);
    return stdout;
  }
  async function kubectl(...args: string[]): Promise<string> {
    const { code, stdout, stderr } = await cluster.api.kubectl(args);
    assert.equal(code, 0, stderr);
    return stdout;
  }
  const ask = async (host: string, key = '', asked = agent): Promise<number> =>
    (await checkOver(asked.grpcAddress, { host, headers: key === '' ? {} : { 'x-api-key': key } })).http;
  const decisions = (): readonly Readonly<Record<string, unknown>>[] =>
    agent.lines.filter(({ message }) => message === 'decision');

  it('docs/install.md: leads from nothing to a first refused and a first allowed request', async () => {
    const [install = '', apply = ''] = commandsOf('install.md', 'apply -f policies').trim().split('\n');
    assert.equal((await cluster.shell(install)).code, 0);
    // The page says that the API server needs a second, and what it answers until then.
    await until(async () => {
      const { code, stderr } = await cluster.shell(apply);
      if (code !== 0) assert.match(stderr, /no matches for kind|could not find the requested resource/);
      return code === 0;
    });
    agent = await cluster.agentOf('postern');
    front = await startFront('path' in envoy ? envoy.path : '', agent.grpcAddress);
    const said = await follow('install.md', 'curl -i', { GATEWAY: `127.0.0.1:${front.port}` });
    assert.deepEqual(
      [...said.matchAll(/HTTP\/1.1 (\d+) /g)].map(([, status]) => status),
      ['401', '200'],
    );
  });

  it('docs/install.md: stands a second release beside the first', async () => {
    await follow('install.md', 'helm install edge');
    const policy = readPage('policies/orders.yaml').split('---')[0]?.replace('spec:', 'spec:\n  className: edge') ?? '';
    writeFileSync(join(cluster.folder, 'edge.yaml'), policy.replace('name: orders', 'name: at-the-edge'));
    assert.equal((await cluster.shell('kubectl apply -f edge.yaml')).code, 0);
    const edge = await cluster.agentOf('edge-postern');
    assert.equal(await ask('orders.example.org', '', edge), 401);
    await until(async () => (await kubectl('get', 'apol', 'at-the-edge', '-o', PROGRAMMED)) === 'True');
  });

  it('docs/why-refused.md: shows what is accepted, and decides offline what the cluster holds', async () => {
    const [list = ''] = commandsOf('why-refused.md', 'kubectl get apol -A').split('\n');
    assert.match((await cluster.shell(list)).stdout, /^default +orders +postern +Enforce +True +True +True/m);
    const [dump = ''] = commandsOf('why-refused.md', 'mkdir -p seen').split('\n');
    assert.equal((await cluster.shell(dump)).code, 0);
    const [, flags = ''] = /-- check (.*) -H /.exec(commandsOf('why-refused.md', 'mkdir -p seen')) ?? [];
    const key = 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f';
    const url = 'https://orders.example.org/v1/orders/7';
    const { code, out } = await postern(['check', ...asHere(flags), '-H', key, url], { cwd: cluster.folder });
    assert.deepEqual([code, (JSON.parse(out) as { decision: string }).decision], [0, 'allow']);
  });

  it('docs/rollout.md: counts and logs in Audit, then enforces, and goes back', async () => {
    await kubectl('create', 'namespace', 'shop');
    writeFileSync(join(cluster.folder, 'carts.yaml'), blockOf('docs/rollout.md', 'yaml', 'mode: Audit'));
    assert.equal((await cluster.shell('kubectl apply -f carts.yaml')).code, 0);
    await until(async () => (await ask('carts.example.org')) === 200);
    const example = /^`("findings":\[.*\])`/m.exec(readPage('docs/rollout.md'))?.[1];
    assert.ok(example);
    await until(() => decisions().some((line) => JSON.stringify(line).includes(example)));
    const metrics = await (await fetch(`http://${agent.adminAddress}/metrics`)).text();
    const wouldDeny =
      /postern_would_deny_total\{policy="shop\/carts",phase="authn",reason="credential_missing"\} [1-9]/;
    assert.match(metrics, wouldDeny);
    await follow('rollout.md', '"mode":"Enforce"');
    await until(async () => (await ask('carts.example.org')) === 401);
    await follow('rollout.md', '"mode":"Audit"');
    await until(async () => (await ask('carts.example.org')) === 200);
    await follow('rollout.md', '"mode":"Enforce"');
  });

  it('docs/rollout.md: lets nothing through by the default of the chart, before its grant is there', async () => {
    const install = `helm install teams deploy/helm/postern -n postern-system --set className=teams`;
    assert.equal((await cluster.shell(install)).code, 0);
    const policy = blockOf('docs/rollout.md', 'yaml', 'mode: Audit').replace('spec:', 'spec:\n  className: teams');
    writeFileSync(join(cluster.folder, 'teams.yaml'), policy.replace('name: carts,', 'name: of-teams,'));
    writeFileSync(join(cluster.folder, 'grant.yaml'), blockOf('docs/rollout.md', 'yaml', 'kind: HostGrant'));
    const teams = await cluster.agentOf('teams-postern');
    assert.equal((await cluster.shell('kubectl apply -f teams.yaml')).code, 0);
    const reason = 'jsonpath={.status.conditions[?(@.type=="Accepted")].reason}';
    await until(
      async () => (await kubectl('-n', 'shop', 'get', 'apol', 'of-teams', '-o', reason)) === 'HostNotGranted',
    );
    assert.equal(await ask('carts.example.org', '', teams), 404);
    assert.equal((await cluster.shell('kubectl apply -f grant.yaml')).code, 0);
    await until(async () => (await ask('carts.example.org', '', teams)) === 200);
    await teams.stop();
    const gone = 'kubectl delete -f teams.yaml -f grant.yaml && helm uninstall teams -n postern-system';
    assert.equal((await cluster.shell(gone)).code, 0);
  });

  it('docs/key-rotation.md: changes keys by consumer and by Secret, without a gap', async () => {
    const { out } = await postern(['keys', 'new']);
    assert.match(out, /[0-9a-f]{64}/);
    const page = blockOf('docs/key-rotation.md', 'yaml', 'kind: APIConsumer');
    writeFileSync(join(cluster.folder, 'acme.yaml'), page);
    assert.equal((await cluster.shell('kubectl apply -f acme.yaml')).code, 0);
    const upgraded =
      'helm upgrade postern deploy/helm/postern -n postern-system --reuse-values --set secretNamespaces={shop}';
    assert.equal((await cluster.shell(upgraded)).code, 0);
    const key = 'the-next-key-of-acme-0123456789';
    await follow('key-rotation.md', 'create secret generic', { NEW_KEY: key });
    await until(async () => (await ask('carts.example.org', key)) === 200);
    await follow('key-rotation.md', 'delete secret');
    await until(async () => (await ask('carts.example.org', key)) === 401);
  });

  it('docs/key-rotation.md: has both keys valid in its month, and one before and after', async () => {
    const keys = ['pk_dev_partner_9c1f2e77a0b44d5f', 'pk_dev_hasty_7e42a9d06c8b3f15'];
    for (const key of keys) assert.ok(readPage('docs/key-rotation.md').includes(hash('sha256', key, 'hex')), key);
    const objects = `${blockOf('docs/rollout.md', 'yaml', 'mode: Audit').replace('mode: Audit', 'mode: Enforce')}---\n`;
    const consumer = blockOf('docs/key-rotation.md', 'yaml', 'kind: APIConsumer');
    writeFileSync(join(cluster.folder, 'seen/all.yaml'), objects + consumer);
    const allows = async (key: string, now: string): Promise<boolean> => {
      const request = { url: 'https://carts.example.org/', method: 'GET', header: [`x-api-key: ${key}`], now };
      const instance = { policies: join(cluster.folder, 'seen'), class: 'postern', client: '192.0.2.1' };
      return (await checkOnce({ ...request, ...instance })).isAllowed;
    };
    for (const [now, valid] of [
      ['2026-12-31T23:59:59Z', [true, false]],
      ['2027-01-15T00:00:00Z', [true, true]],
      ['2027-02-01T00:00:00Z', [false, true]],
    ] as const)
      assert.deepEqual(await Promise.all(keys.map((key) => allows(key, now))), valid, now);
  });

  it('docs/key-rotation.md: replaces the certificate in its Secret, the first time and later', async () => {
    for (const name of ['first', 'second']) {
      const { certificate, privateKey } = issue({ name });
      writeFileSync(join(cluster.folder, 'tls.crt'), certificate);
      writeFileSync(join(cluster.folder, 'tls.key'), privateKey);
      await follow('key-rotation.md', 'create secret tls');
      const held = await kubectl(
        '-n',
        'postern-system',
        'get',
        'secret',
        'postern-tls',
        '-o',
        'jsonpath={.data.tls\\.crt}',
      );
      assert.equal(Buffer.from(held, 'base64').toString(), certificate);
    }
  });

  it('docs/upgrade.md: upgrades with the values that were given, and goes back', async () => {
    await follow('upgrade.md', 'helm upgrade');
    const values = JSON.parse(
      (await cluster.shell('helm get values postern -n postern-system -o json')).stdout,
    ) as object;
    assert.deepEqual(values, {
      image: { repository: 'registry.example.org/postern' },
      options: { hostGrants: 'first-come' },
      secretNamespaces: ['shop'],
    });
    await follow('upgrade.md', 'helm rollback');
    assert.equal(await ask('carts.example.org'), 401);
  });

  it('docs/upgrade.md: finds definitions of another version, and lints what the cluster holds', async () => {
    const [dump = ''] = commandsOf('upgrade.md', 'mkdir -p seen').split('\n');
    assert.equal((await cluster.shell(dump)).code, 0);
    const [, flags = ''] = /-- lint (.*)$/m.exec(commandsOf('upgrade.md', 'mkdir -p seen')) ?? [];
    const linted = await postern(['lint', ...asHere(flags)], { cwd: cluster.folder });
    const wrong = `${linted.err}${linted.out}`.split('\n').filter((line) => line.includes('seen/all.yaml'));
    assert.match(wrong.join('\n'), /^seen\/all\.yaml:\d+:\d+: [^\n]*"acme-2027"[^\n]*\(SecretNotFound\)$/);
    const definition = 'crd/apipolicies.postern.dev';
    const annotation = DIGEST_ANNOTATION.replace('.', '\\.');
    const digest = await kubectl('get', definition, '-o', `jsonpath={.metadata.annotations.${annotation}}`);
    const annotate = (value: string) => kubectl('annotate', '--overwrite', definition, `${DIGEST_ANNOTATION}=${value}`);
    await annotate('of-another-version');
    await agent.stop();
    agent = await cluster.agentOf('postern');
    assert.equal(await ask('carts.example.org'), 401, 'it serves all the same');
    await until(async () =>
      /^shop\/carts SchemaOutdated$/m.test(await follow('upgrade.md', 'get apol -A -o jsonpath')),
    );
    await annotate(digest);
  });

  it('docs/install.md: is packed for where there is no Internet, uninstalled, and installed from there', async () => {
    await follow('install.md', 'helm package');
    assert.ok(existsSync(join(cluster.folder, 'postern-0.1.0.tgz')));
    const left = await follow('install.md', 'helm uninstall');
    assert.match(left, /apipolicy\.postern\.dev\/carts/);
    assert.equal(
      await kubectl('get', 'deployment', '-n', 'postern-system', '-o', 'name'),
      'deployment.apps/edge-postern\n',
    );
    await follow('install.md', 'postern-0.1.0.tgz');
    await follow('install.md', 'kubectl delete crd');
    await until(async () => (await cluster.api.kubectl(['get', 'postern', '-A'])).code !== 0);
  });
});
