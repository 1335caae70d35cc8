import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import {
  envoyBinary,
  type Front,
  type FrontOptions,
  send,
  sendRaw,
  startEnvoyInFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const OPEN = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: open}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
/** Nobody listens on port 1. */
const CLUSTER_THAT_IS_AWAY = `
apiVersion: v1
kind: Config
clusters: [{name: away, cluster: {server: "http://127.0.0.1:1"}}]
contexts: [{name: away, context: {cluster: away, user: nobody}}]
current-context: away
users: [{name: nobody, user: {}}]
`;

const portOf = (agent: TestAgent): number => Number(agent.grpcAddress.split(':').at(-1));

async function inFront(t: TestContext, options: FrontOptions): Promise<Front> {
  const front = await startEnvoyInFront({ path, ...options });
  t.after(() => front.stop());
  return front;
}

async function counted(front: Front): Promise<Readonly<Record<string, number>>> {
  const names = ['ok', 'denied', 'error', 'failure_mode_allowed'];
  const values = await Promise.all(names.map((name) => front.envoy.stat(`cluster.upstream.ext_authz.${name}`)));
  return Object.fromEntries(names.map((name, i) => [name, values[i] ?? 0]));
}

describe('an agent without a first snapshot, behind a real Envoy', { skip: skipWithout(found) }, () => {
  const folder = mkdtempSync(join(tmpdir(), 'postern-away-'));
  let agent: TestAgent;
  before(async () => {
    const kubeconfig = join(folder, 'kubeconfig');
    writeFileSync(kubeconfig, CLUSTER_THAT_IS_AWAY);
    agent = await startTestAgent('', { kube: 'true', kubeconfig, namespace: 'shop' });
  });
  after(async () => {
    await agent?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('has Envoy answer 503, and count it apart from refusals', async (t) => {
    const front = await inFront(t, { extAuthzPort: portOf(agent) });
    const { status, headers, body } = await send(front.port, '/');
    assert.deepEqual([status, headers['content-type']], [503, 'application/problem+json']);
    assert.equal((JSON.parse(body) as { decisionId: string }).decisionId, headers['x-postern-decision-id']);
    assert.deepEqual(await counted(front), { ok: 0, denied: 0, error: 1, failure_mode_allowed: 0 });
    assert.equal(front.upstream.count(), 0);
  });

  it('leaves it to an Envoy that was told to fail open, and only to that', async (t) => {
    const front = await inFront(t, { extAuthzPort: portOf(agent), failureModeAllow: true });
    assert.equal((await send(front.port, '/')).status, 200);
    assert.deepEqual(await counted(front), { ok: 0, denied: 0, error: 1, failure_mode_allowed: 1 });
  });

  it('tells gRPC callers UNAVAILABLE', async (t) => {
    const front = await inFront(t, { extAuthzPort: portOf(agent) });
    const { headers } = await send(front.port, '/a.B/C', ['Content-Type: application/grpc', 'TE: trailers'], 'POST');
    assert.deepEqual([headers['grpc-status'], front.upstream.count()], ['14', 0]);
  });

  it('is not ready for whoever asks', async () => {
    const { adminAddress } = agent;
    const port = 'port' in adminAddress ? adminAddress.port : 0;
    const answer = await fetch(`http://127.0.0.1:${port}/readyz`);
    const text = [
      'no snapshot yet: not listed yet: apipolicies shop, apiconsumers shop, apiroles shop, apirolebindings shop, hostgrants, apibaselines, namespaces metadata.name=shop',
      'Cannot reach the API server at http://127.0.0.1:1: nothing listens there; is it running, and is this the right cluster?',
    ];
    assert.deepEqual([answer.status, (await answer.text()).trim().split('\n')], [503, text]);
  });
});

describe('a real Envoy whose agent fails', { skip: skipWithout(found) }, () => {
  it('lets nobody through while the agent is gone, and everybody once there is another', async (t) => {
    const first = await startTestAgent(OPEN);
    await first.ready;
    const front = await inFront(t, { extAuthzPort: portOf(first), statusOnError: 503 });
    assert.equal((await send(front.port, '/')).status, 200);
    await first.stop();
    assert.equal((await send(front.port, '/')).status, 503);
    const second = await startTestAgent(OPEN, { 'grpc-addr': `127.0.0.1:${portOf(first)}` });
    t.after(() => second.stop());
    await second.ready;
    assert.equal((await send(front.port, '/')).status, 200);
    assert.equal(front.upstream.count(), 2);
  });

  it('lets nobody through while the agent takes connections and says nothing', async (t) => {
    const silent = createServer((socket) => void t.after(() => socket.destroy()));
    await once(silent.listen(0, '127.0.0.1'), 'listening');
    t.after(() => silent.close());
    const address = silent.address();
    const extAuthzPort = typeof address === 'object' && address !== null ? address.port : 0;
    const front = await inFront(t, { extAuthzPort, timeoutMs: 300 });
    assert.deepEqual([(await send(front.port, '/')).status, front.upstream.count()], [403, 0]);
    assert.equal((await counted(front)).error, 1);
  });

  it('loses no request when the agent asks it to connect anew', async (t) => {
    const agent = await startTestAgent(OPEN, { 'max-connection-age': '1s' });
    t.after(() => agent.stop());
    await agent.ready;
    const front = await inFront(t, { extAuthzPort: portOf(agent) });
    const statuses = new Set<number>();
    const end = performance.now() + 2500;
    const client = async (): Promise<void> => {
      while (performance.now() < end) statuses.add((await send(front.port, '/')).status);
    };
    await Promise.all([client(), client(), client(), client()]);
    assert.deepEqual([...statuses], [200]);
    assert.ok((await front.envoy.stat('cluster.agent.upstream_cx_total')) >= 2);
    assert.equal((await counted(front)).error, 0);
  });

  it('refuses a body that is larger than the agent takes, and the agent takes what it was told to', async (t) => {
    const body = 'x'.repeat(5 * 1024 * 1024);
    const head = ['POST / HTTP/1.1', 'Host: api.example.org', `Content-Length: ${body.length}`];
    const withBody = { maxBytes: body.length + 1, allowPartial: false };
    for (const [size, status] of [
      ['4Mi', 403],
      ['6Mi', 200],
    ] as const) {
      const agent = await startTestAgent(OPEN, { 'max-receive-bytes': size, bodies: 'forwarded' });
      t.after(() => agent.stop());
      await agent.ready;
      const front = await inFront(t, { extAuthzPort: portOf(agent), withBody, timeoutMs: 5000 });
      assert.equal((await sendRaw(front.port, head, body)).status, status, size);
    }
  });
});
