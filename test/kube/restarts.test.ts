import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { requireComponent } from '../components/cache.ts';
import { obtainKubernetes } from '../components/kubernetes.ts';
import { until } from '../components/until.ts';
import { closeClients } from '../door/client.ts';
import { answer, type Cluster, startCluster } from './cluster.ts';

const policy = (authorization: string): string => `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: ${authorization}}]}
`;
const OPEN = policy('{any: {}}');
const BROKEN = policy('{when: [{expression: "requst.method == 1"}]}');

describe('an agent that is restarted', async () => {
  const found = await obtainKubernetes();
  let cluster: Cluster;

  before(async () => {
    if ('path' in found) cluster = await startCluster(found.path);
  });
  after(async () => {
    closeClients();
    await cluster?.stop();
  });

  const accepted = async (): Promise<string> =>
    (await cluster.api.kubectl(['get', 'apol', 'orders', '-n', 'shop', '-o', 'jsonpath={.status.accepted.generation}']))
      .stdout;

  /** As anybody who has the right to. */
  async function writeStatus(status: object): Promise<void> {
    const path = '/apis/postern.dev/v1alpha1/namespaces/shop/apipolicies/orders/status';
    const contentType = 'application/merge-patch+json';
    const { status: code, body } = await cluster.api.call('PATCH', path, { status }, { contentType });
    assert.equal(code, 200, JSON.stringify(body));
  }

  it('serves the last good spec while a newer one is wrong, and says so', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    await cluster.apply(OPEN);
    const first = await cluster.agent();
    await until(async () => (await accepted()) === '1');
    await first.stop();
    await cluster.apply(BROKEN);

    const second = await cluster.agent();
    assert.equal(await answer(second), 200);
    await until(async () => (await cluster.statusOf('apol', 'shop/orders')).Programmed === 'False LastGoodServes');
    assert.deepEqual(
      (await cluster.conditions('apol', 'shop/orders')).map(({ type, status, message }) => [
        type,
        status,
        message.slice(0, 62),
      ]),
      [
        ['Accepted', 'False', 'spec.authorization.rules[0].allow.when[0].expression: 1:1: The'],
        ['ResolvedRefs', 'True', 'Of generation 1, which serves'],
        ['Programmed', 'False', 'Generation 1 serves until generation 2 is mended'],
      ],
    );
    await second.stop();
    const third = await cluster.agent();
    assert.equal(await answer(third), 200, 'what was served stays recorded while something wrong is newest');
    await third.stop();
  });

  it('serves nothing of a policy that was deleted, under its name', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const { api } = cluster;
    const { stdout } = await api.kubectl(['get', 'apol', 'orders', '-n', 'shop', '-o', 'json']);
    const old = JSON.parse(stdout) as { status: object };
    await api.kubectl(['delete', 'apol', 'orders', '-n', 'shop']);
    await cluster.apply(BROKEN.replace('all, ', 'first, '));
    await cluster.apply(BROKEN);
    // As a backup is put back: the new object with the old one's status.
    await writeStatus(old.status);
    assert.equal(await accepted(), '1');
    const agent = await cluster.agent();
    assert.equal(await answer(agent), 404);
    await agent.stop();
  });

  it('bears whatever somebody wrote into a status', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024)).toString('base64');
    const agent = await cluster.agent();
    for (const spec of ['', '%%%', bomb, 'A'.repeat(999_999)]) {
      await writeStatus({ accepted: { generation: 1, spec } });
      assert.equal(await answer(agent), 404);
    }
    await agent.stop();
    const second = await cluster.agent();
    assert.equal(await answer(second), 404);
    await cluster.apply(OPEN);
    await until(async () => (await answer(second)) === 200);
    await until(async () => (await cluster.statusOf('apol', 'shop/orders')).Programmed === 'True Programmed');
    await second.stop();
  });
});
