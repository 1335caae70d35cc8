import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parseAllDocuments } from 'yaml';
import { type AgentProcess, onLoopback, startAgentProcess } from '../cli/agent-process.ts';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { checkOver, closeClients } from '../door/client.ts';
import { type Cluster, startCluster } from './cluster.ts';

const ROOT = join(import.meta.dirname, '../..');
const policy = (rule: string, more = ''): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, ${rule}}]}
${more}`;
const OPEN = policy('allow: {any: {}}');
const CLOSED = policy('deny: {any: {}}');
const BROKEN = policy('allow: {when: [{expression: "requst.method == 1"}]}');
const ROLE = `
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: reader, namespace: shop}
spec: {permissions: [{name: read, allPolicies: {}}]}
`;
const LEASE_MS = 15_000;
const TAKE_OVER_MS = 60_000;

const found = await obtainKubernetes();

describe('replicas on one API server', { skip: skipWithout(found) }, () => {
  let cluster: Cluster;
  const running = new Set<AgentProcess>();

  before(async () => {
    cluster = await startCluster('path' in found ? found.path : '');
    await cluster.apply(OPEN);
  });
  after(async () => {
    closeClients();
    for (const { pid } of running) process.kill(pid, 'SIGCONT');
    await Promise.all([...running].map((replica) => replica.kill()));
    await cluster?.stop();
  });

  async function startReplica(className = 'postern'): Promise<AgentProcess> {
    const { kubeconfig } = cluster.api.addToken('agent', ['agents']);
    const flags = ['--kube', `--kubeconfig=${kubeconfig}`, '--host-grants=first-come', '--client-address=direct'];
    const replica = await startAgentProcess(onLoopback(['serve', ...flags, `--class=${className}`]));
    running.add(replica);
    await replica.ready;
    return replica;
  }

  async function stopAll(): Promise<void> {
    await Promise.all([...running].map((replica) => replica.stop()));
    running.clear();
  }

  const get = async (path: string, ...of: string[]): Promise<string> =>
    (await cluster.api.kubectl(['get', ...of, '-o', `jsonpath=${path}`])).stdout;
  const orders = (path: string): Promise<string> => get(path, 'apol', 'orders', '-n', 'shop');
  const leases = async (className = 'postern'): Promise<readonly string[]> =>
    (await get('{.items[*].metadata.name}', 'leases', '-n', 'default', '-l', `postern.dev/class=${className}`))
      .split(' ')
      .filter((name) => name.startsWith('postern-replica-'));
  const http = async (replica: AgentProcess): Promise<number> =>
    (await checkOver(replica.grpcAddress, { host: 'api.example.org' })).http;

  async function programmed(): Promise<string | undefined> {
    const generation = await orders('{.metadata.generation}');
    const said = (await cluster.conditions('apol', 'shop/orders')).find(({ type }) => type === 'Programmed');
    return String(said?.observedGeneration) === generation ? `${said?.status} ${said?.reason}` : undefined;
  }
  const isProgrammed = async (): Promise<boolean> => (await programmed()) === 'True Programmed';

  async function writer(): Promise<number> {
    const holder = await get('{.spec.holderIdentity}', 'lease', 'postern-status-postern', '-n', 'default');
    return Number(/-(\d+)_/.exec(holder)?.[1]);
  }

  it('says Programmed when all serve, each having a Lease while it runs', async () => {
    const replicas = [await startReplica(), await startReplica(), await startReplica()];
    await until(async () => (await leases()).length === 3);
    for (const [yaml, code] of [
      [CLOSED, 403],
      [OPEN, 200],
    ] as const) {
      await cluster.apply(yaml);
      await until(isProgrammed);
      assert.deepEqual(await Promise.all(replicas.map(http)), [code, code, code]);
    }
    await stopAll();
    assert.deepEqual(await leases(), []);
  });

  it('waits for a replica that is stopped until its Lease has lapsed; when that goes on, it gives no answer of old', async () => {
    const replicas = [await startReplica(), await startReplica()];
    const pid = await writer();
    const [stopped, other] = replicas[0]?.pid === pid ? [replicas[1], replicas[0]] : [replicas[0], replicas[1]];
    assert.ok(stopped && other);
    assert.deepEqual([await http(stopped), await http(other)], [200, 200]);
    process.kill(stopped.pid, 'SIGSTOP');
    const stoppedMs = performance.now();
    await cluster.apply(CLOSED);
    await until(async () => (await programmed()) === 'False Pending');
    const said = (await cluster.conditions('apol', 'shop/orders')).find(({ type }) => type === 'Programmed');
    assert.match(said?.message ?? '', /^1 of 2 replicas serve generation \d+; not yet "postern-replica-postern-/);
    await until(isProgrammed, TAKE_OVER_MS);
    const tookMs = performance.now() - stoppedMs;
    assert.ok(tookMs > LEASE_MS / 2, `it was given up after ${tookMs} ms`);
    // These wait in its socket, and are the first that it sees.
    const first = Array.from({ length: 10 }, () => http(stopped));
    process.kill(stopped.pid, 'SIGCONT');
    for (const code of await Promise.all(first)) assert.notEqual(code, 200);
    await until(async () => {
      const code = await http(stopped);
      assert.notEqual(code, 200);
      return code === 403;
    });
    assert.ok(stopped.lines.some(({ message }) => /was stopped, and reads everything anew/.test(String(message))));
    await stopAll();
  });

  it('has another replica write when the writer is stopped, and the writer, when it goes on, sets nothing back', async () => {
    const replicas = [await startReplica(), await startReplica()];
    await cluster.apply(OPEN);
    await until(isProgrammed);
    const pid = await writer();
    const [stopped, other] = replicas[0]?.pid === pid ? replicas : [...replicas].reverse();
    assert.ok(stopped && other);
    process.kill(stopped.pid, 'SIGSTOP');
    await cluster.apply(CLOSED);
    await until(isProgrammed, TAKE_OVER_MS);
    assert.equal(await writer(), other.pid);
    const version = await orders('{.metadata.resourceVersion}');
    process.kill(stopped.pid, 'SIGCONT');
    await until(async () => (await http(stopped)) === 403);
    await cluster.apply(ROLE);
    await until(async () => (await cluster.statusOf('arole', 'shop/reader')).Accepted === 'True Accepted');
    assert.equal(await orders('{.metadata.resourceVersion}'), version);
    await stopAll();
  });

  it('keeps the last good spec over a restart of all replicas while the newest is wrong', async () => {
    await startReplica();
    await cluster.apply(OPEN);
    await until(isProgrammed);
    const good = await orders('{.status.accepted.generation}');
    await cluster.apply(BROKEN);
    await until(async () => (await programmed()) === 'False LastGoodServes');
    await stopAll();
    const replicas = [await startReplica(), await startReplica()];
    assert.deepEqual(await Promise.all(replicas.map(http)), [200, 200]);
    assert.equal(await orders('{.status.accepted.generation}'), good);
    await stopAll();
  });

  it('has two classes say of one object what each found, side by side', async () => {
    await Promise.all([startReplica(), startReplica('edge')]);
    await cluster.apply(ROLE);
    for (const className of ['postern', 'edge'])
      await until(async () => (await cluster.statusOf('arole', 'shop/reader', className)).Accepted === 'True Accepted');
    await cluster.apply(ROLE.replace('name: read,', 'name: write,'));
    for (const className of ['postern', 'edge'])
      await until(async () => {
        const said = await cluster.conditions('arole', 'shop/reader', className);
        return (
          String(said[0]?.observedGeneration) === (await get('{.metadata.generation}', 'arole', 'reader', '-n', 'shop'))
        );
      });
    const classes = await get('{.status.instances[*].className}', 'arole', 'reader', '-n', 'shop');
    assert.deepEqual(classes.split(' ').sort(), ['edge', 'postern']);
    const managers = await cluster.api.kubectl([
      'get',
      'arole',
      'reader',
      '-n',
      'shop',
      '--show-managed-fields',
      '-o',
      'json',
    ]);
    for (const manager of ['postern-postern', 'postern-edge'])
      assert.match(managers.stdout, new RegExp(`"manager": "${manager}"`));
    assert.deepEqual([(await leases()).length, (await leases('edge')).length], [1, 1]);
    await stopAll();
  });

  it('serves throughout while CRDs and agents are a version apart, whichever is newer', async () => {
    const replica = await startReplica();
    await cluster.apply(OPEN);
    await until(isProgrammed);
    const file = readFileSync(join(ROOT, 'deploy/crds/postern.dev_apipolicies.yaml'), 'utf8');
    const documents = parseAllDocuments(file);
    const definition = documents.find((document) => document.get('kind') === 'CustomResourceDefinition');
    assert.ok(definition);
    const fields = ['spec', 'versions', 0, 'schema', 'openAPIV3Schema', 'properties', 'spec', 'properties'];
    const withField = (change: 'older' | 'newer'): string => {
      const copy = definition.clone();
      if (change === 'older') copy.deleteIn([...fields, 'response']);
      else copy.setIn([...fields, 'newField'], { type: 'string', maxLength: 10 });
      copy.setIn(['metadata', 'annotations', 'postern.dev/schema-digest'], change);
      return copy.toString();
    };
    for (const change of ['older', 'newer'] as const) {
      await cluster.apply(withField(change));
      const next = await startReplica();
      // The writer started before: it looks at the definitions again in half an hour.
      await until(async () => next.lines.some(({ definitions }) => definitions !== undefined));
      for (const [yaml, code] of [
        [CLOSED, 403],
        [OPEN, 200],
      ] as const) {
        await cluster.apply(yaml);
        await until(isProgrammed, TAKE_OVER_MS);
        assert.deepEqual(await Promise.all([replica, next].map(http)), [code, code]);
      }
      await next.stop();
      running.delete(next);
      await cluster.apply(file);
    }
    await stopAll();
  });
});
