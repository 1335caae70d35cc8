// Workers of an agent in a cluster: what is programmed, what is refused while the main process does not run, and Secrets.
import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { encodeCheck } from '../door/client.ts';
import { closeAll, DoorClient } from '../door/door-client.ts';
import { type Cluster, startCluster } from '../kube/cluster.ts';
import { askAlone, endAll, httpOf, type PoolProcess, signal, startPool } from './pool-process.ts';

const KEY = 'pk_secret_0123456789abcdef';
const policy = (rule: string, more = ''): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization: {rules: [{name: all, ${rule}}]}
${more}`;
const OPEN = policy('allow: {any: {}}');
const CLOSED = policy('allow: {methods: [POST]}');
const CONSUMER = `
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme, namespace: shop}
spec: {keys: [{name: s, secretRef: {name: acme, key: plain}}]}
---
apiVersion: v1
kind: Secret
metadata: {name: acme, namespace: shop, annotations: {postern.dev/used-by: APIConsumer/acme}}
type: postern.dev/credential
stringData: {plain: ${KEY}}
`;
const READER = [
  'create',
  'role',
  'reads-acme',
  '-n',
  'shop',
  '--verb=get,list,watch',
  '--resource=secrets',
  '--resource-name=acme',
];
const BINDING = ['create', 'rolebinding', 'reads-acme', '-n', 'shop', '--role=reads-acme', '--group=agents'];

const found = await obtainKubernetes();

describe('workers of an agent in a cluster', { skip: skipWithout(found) }, () => {
  let cluster: Cluster;
  let pool: PoolProcess;

  before(async () => {
    cluster = await startCluster('path' in found ? found.path : '');
    await cluster.api.kubectl(READER);
    await cluster.api.kubectl(BINDING);
    await cluster.apply(`${OPEN}---${CONSUMER}`);
    const { kubeconfig } = cluster.api.addToken('agent', ['agents']);
    pool = await startPool('', { kube: 'true', kubeconfig, 'host-grants': 'first-come' });
    await pool.ready;
  });
  after(async () => {
    await closeAll();
    if (pool !== undefined) signal(pool.pid, 'SIGCONT');
    await endAll();
    await cluster?.stop();
  });

  const ask = (): Promise<number | 'none'> =>
    askAlone(pool.grpcAddress, { host: 'api.example.org', headers: { 'x-api-key': KEY } });
  const askFour = async () => [await ask(), await ask(), await ask(), await ask()];
  const generation = async (): Promise<string> =>
    (await cluster.api.kubectl(['get', 'apol', 'orders', '-n', 'shop', '-o', 'jsonpath={.metadata.generation}']))
      .stdout;

  async function isProgrammed(): Promise<boolean> {
    const said = (await cluster.conditions('apol', 'shop/orders')).find(({ type }) => type === 'Programmed');
    return said?.status === 'True' && String(said.observedGeneration) === (await generation());
  }

  it('know the keys of Secrets that the main process reads', async () => {
    await until(async () => (await askFour()).every((answer) => answer === 200));
    await until(isProgrammed);
  });

  it('have a policy programmed only when all of them serve it', async () => {
    const [first = 0] = pool.workers();
    signal(first, 'SIGSTOP');
    await cluster.apply(CLOSED);
    await until(async () => {
      const answers = await Promise.all([1, 2, 3, 4].map(() => Promise.race([ask(), later(500)])));
      return answers.includes(403) && !answers.includes(200);
    });
    assert.equal(await isProgrammed(), false);
    signal(first, 'SIGCONT');
    await until(isProgrammed);
    assert.deepEqual(await askFour(), [403, 403, 403, 403]);
  });

  it('refuse while the main process is stopped for longer than its Lease holds, and answer by the new policy behind it', async () => {
    await cluster.apply(OPEN);
    await until(isProgrammed);
    // New connections come by the main process: those that there are already are asked.
    const clients = [1, 2, 3, 4].map(() => new DoorClient(pool.grpcAddress));
    const check = { host: 'api.example.org', headers: { 'x-api-key': KEY } };
    const all = () => Promise.all(clients.map(async (client) => httpOf(await client.check(encodeCheck(check)))));
    assert.deepEqual(await all(), [200, 200, 200, 200]);
    signal(pool.pid, 'SIGSTOP');
    await cluster.apply(CLOSED);
    await until(async () => (await all()).every((answer) => answer === 503), 30_000);
    signal(pool.pid, 'SIGCONT');
    const seen = new Set<number | 'none'>();
    await until(async () => {
      const answers = await all();
      for (const answer of answers) seen.add(answer);
      return answers.every((answer) => answer === 403);
    });
    assert.equal(seen.has(200), false);
    await until(isProgrammed);
    for (const client of clients) client.close();
  });
});

const later = (ms: number): Promise<'none'> =>
  new Promise((resolve) => {
    setTimeout(() => resolve('none'), ms).unref();
  });
