import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it, type TestContext } from 'node:test';
import type { AgentTls } from '../../internal/envoy/cluster.ts';
import { type AgentProcess, startServe } from '../cli/agent-process.ts';
import { skipWithout } from '../components/cache.ts';
import { type Issued, issue } from '../door/certificates.ts';
import { envoyBinary, type Front, send, startFront } from './harness.ts';

const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: all}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: closed, deny: {paths: [/closed]}}]}
`;
const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const folder = mkdtempSync(join(tmpdir(), 'postern-transport-'));
after(() => rmSync(folder, { recursive: true, force: true }));

/** Asks in a loop until told to stop, two at a time; every status that came, and how often. */
function traffic(front: Front): { stop(): Promise<Readonly<Record<number, number>>> } {
  const statuses: Record<number, number> = {};
  let isOver = false;
  const client = async (): Promise<void> => {
    while (!isOver) {
      const { status } = await send(front.port, '/');
      statuses[status] = (statuses[status] ?? 0) + 1;
    }
  };
  const clients = [client(), client()];
  return {
    async stop() {
      isOver = true;
      await Promise.all(clients);
      return statuses;
    },
  };
}

describe('postern serve with mutual TLS, asked by a real Envoy', { skip: skipWithout(found) }, () => {
  const authority = issue({ name: 'authority', isCa: true });
  const stranger = issue({ name: 'stranger', isCa: true });
  const files = { cert: join(folder, 'tls.crt'), key: join(folder, 'tls.key'), ca: join(folder, 'ca.crt') };
  const envoyTls = (own?: Issued, ca = authority): AgentTls => ({
    ca: ca.certificate,
    serverName: 'localhost',
    ...(own !== undefined && { certificate: own.certificate, key: own.privateKey }),
  });
  const write = (own: Issued): void => {
    writeFileSync(files.cert, own.certificate);
    writeFileSync(files.key, own.privateKey);
  };
  let agent: AgentProcess;

  before(async () => {
    write(issue({ name: 'first', issuer: authority, notAfterMs: Date.UTC(2044, 1, 1) }));
    writeFileSync(files.ca, authority.certificate);
    const tls = { 'tls-cert': files.cert, 'tls-key': files.key, 'client-ca': files.ca };
    agent = await startServe(POLICY, { ...tls, 'max-connection-age': '1s' });
  });
  after(() => agent?.stop());

  const inFront = async (t: TestContext, agentTls: AgentTls | undefined): Promise<Front> => {
    // What is on its way when a TLS connection grows old is refused as never processed: Envoy may ask again.
    const options = { retries: 3, ...(agentTls !== undefined && { agentTls }) };
    const front = await startFront(path, agent.grpcAddress, options);
    t.after(() => front.stop());
    return front;
  };
  async function metric(name: string): Promise<string | undefined> {
    const text = await (await fetch(`http://${agent.adminAddress}/metrics`)).text();
    return text.split('\n').find((line) => line.startsWith(name));
  }
  async function until(name: string, expected: RegExp): Promise<void> {
    const give = performance.now() + 20_000;
    while (!expected.test((await metric(name)) ?? '')) {
      assert.ok(performance.now() < give, `${name} did not become ${expected}`);
      await new Promise((resolve) => setTimeout(resolve, 100));
    }
  }

  for (const [who, agentTls] of [
    ['shows no certificate', envoyTls()],
    ['shows one of another authority', envoyTls(issue({ name: 'envoy', issuer: stranger }))],
    ['shows one that it signed itself', envoyTls(issue({ name: 'envoy' }))],
    ['shows one that has ended', envoyTls(issue({ name: 'envoy', issuer: authority, notAfterMs: Date.UTC(2021, 0) }))],
    ['speaks plain text', undefined],
    ['trusts another authority', envoyTls(issue({ name: 'envoy', issuer: authority }), stranger)],
  ] as const) {
    it(`answers no Envoy that ${who}, and that one lets nobody through`, async (t) => {
      const front = await inFront(t, agentTls);
      assert.deepEqual([(await send(front.port, '/')).status, front.upstream.count()], [403, 0]);
      assert.equal(await front.envoy.stat('cluster.upstream.ext_authz.error'), 1);
    });
  }

  it('takes new certificates and drops an authority while traffic runs, without losing or leaking a request', async (t) => {
    const front = await inFront(t, envoyTls(issue({ name: 'envoy', issuer: authority })));
    const load = traffic(front);
    const second = issue({ name: 'second', issuer: authority, notAfterMs: Date.UTC(2044, 5, 6) });
    write(second);
    await until('postern_certificate_not_after_seconds', new RegExp(`${Date.UTC(2044, 5, 6) / 1000}|2\\.\\d+e`));
    const connections = await front.envoy.stat('cluster.agent.upstream_cx_total');
    while ((await front.envoy.stat('cluster.agent.upstream_cx_total')) < connections + 2)
      await new Promise((resolve) => setTimeout(resolve, 50));
    const { 200: allowed = 0, ...others } = await load.stop();
    assert.deepEqual([others, allowed === front.upstream.count(), allowed > 100], [{}, true, true]);
    writeFileSync(files.ca, stranger.certificate);
    await until('postern_certificate_reloads_total{result="success"}', / 2$/);
    const give = performance.now() + 5000;
    while ((await send(front.port, '/')).status === 200)
      assert.ok(performance.now() < give, 'the old one is still let in');
    const reached = front.upstream.count();
    const statuses = await Promise.all(Array.from({ length: 20 }, () => send(front.port, '/')));
    assert.deepEqual(new Set(statuses.map(({ status }) => status)), new Set([403]));
    assert.equal(front.upstream.count(), reached);
    const next = await inFront(t, envoyTls(issue({ name: 'envoy', issuer: stranger })));
    assert.equal((await send(next.port, '/')).status, 200);
  });
});

describe('postern serve on a unix socket, asked by a real Envoy', { skip: skipWithout(found) }, () => {
  it('answers, drains on SIGTERM with exit code 0, leaves no socket behind, and the next one takes its place', async (t) => {
    const socket = join(folder, 'postern.sock');
    const flags = { 'grpc-addr': `unix:${socket}` };
    const first = await startServe(POLICY, flags);
    t.after(() => first.stop());
    const front = await startFront(path, first.grpcAddress, {});
    t.after(() => front.stop());
    assert.deepEqual([(await send(front.port, '/')).status, (await send(front.port, '/closed')).status], [200, 403]);
    const load = traffic(front);
    while (front.upstream.count() < 50) await new Promise((resolve) => setTimeout(resolve, 5));
    assert.equal(await first.stop(), 0);
    const { 200: allowed = 0, 403: refused = 0, ...others } = await load.stop();
    assert.deepEqual([others, allowed + 1 === front.upstream.count(), refused > 0], [{}, true, true]);
    assert.equal(existsSync(socket), false);
    const second = await startServe(POLICY, flags);
    t.after(() => second.stop());
    assert.equal((await send(front.port, '/')).status, 200);
  });

  it('lets nobody through while the process is stopped, and answers again once it goes on', async (t) => {
    const agent = await startServe(POLICY);
    t.after(() => agent.stop());
    const front = await startFront(path, agent.grpcAddress, { timeoutMs: 300 });
    t.after(() => front.stop());
    assert.equal((await send(front.port, '/')).status, 200);
    process.kill(agent.pid, 'SIGSTOP');
    const hung = await send(front.port, '/');
    process.kill(agent.pid, 'SIGCONT');
    assert.equal(hung.status, 403);
    assert.equal((await send(front.port, '/')).status, 200);
    assert.equal(front.upstream.count(), 2);
  });
});
