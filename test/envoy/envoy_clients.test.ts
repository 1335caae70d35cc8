import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import { issue } from '../door/certificates.ts';
import { envoyBinary, type Front, openHttp2, send, startFront, startTestAgent, type TestAgent } from './harness.ts';

const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: clients}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization:
    rules:
      - {name: all, allow: {any: {}}}
      - {name: inside, deny: {paths: [/inside/**], when: [{expression: "!(client.address.startsWith('203.0.113.'))"}]}}
      - {name: banned, deny: {cidrs: [198.51.100.0/24]}}
  response:
    upstreamHeaders:
      - {name: x-client, value: {expression: client.address}}
      - {name: x-principal, value: {expression: source.principal}}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: secure}
spec:
  target: {hosts: [secure.example.org]}
  transport: {requireTLS: true, hsts: {maxAge: 24h}}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
`;
const found = await envoyBinary();
const path = 'path' in found ? found.path : '';
const LOOPBACK = '127.0.0.1';
/** Whatever Envoy appended to x-forwarded-for: for a peer on loopback an address of the machine. */
const APPENDED = 'the last entry';
const SPOOFS = [
  'Forwarded: for=203.0.113.9',
  'X-Real-IP: 203.0.113.9',
  'True-Client-IP: 203.0.113.9',
  'X-Client-IP: 203.0.113.9',
  'X-Envoy-External-Address: 203.0.113.9',
];

/** Where the agent is told to look, whether Envoy adds the peer, and whom it takes for the client: undefined is unknown. */
const CASES: readonly (readonly [
  source: string,
  addsPeer: boolean,
  lines: readonly string[],
  client: string | undefined,
])[] = [
  ['direct', false, ['X-Forwarded-For: 203.0.113.9'], LOOPBACK],
  ['direct', true, ['X-Forwarded-For: 203.0.113.9, 203.0.113.10', ...SPOOFS], LOOPBACK],
  ['forwarded-for:hops=1', true, [], APPENDED],
  ['forwarded-for:hops=1', true, ['X-Forwarded-For: 203.0.113.9', ...SPOOFS], APPENDED],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 192.0.2.1, 203.0.113.9'], '203.0.113.9'],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 203.0.113.9'], '203.0.113.9'],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: ::ffff:203.0.113.9'], '203.0.113.9'],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: ::ffff:cb00:7109'], '203.0.113.9'],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 203.0.113.9:4711'], '203.0.113.9'],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: [2001:DB8::1]:443'], '2001:db8::1'],
  ['forwarded-for:hops=2', true, [], undefined],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 203.0.113.9, '], undefined],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 203.0.113.9, unknown'], undefined],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 0313.0.113.9'], undefined],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: 0xcb.0.113.9'], undefined],
  ['forwarded-for:hops=2', true, ['X-Forwarded-For: fe80::1%eth0'], undefined],
  ['forwarded-for:hops=2', true, [`X-Forwarded-For: ${'192.0.2.1,'.repeat(70)}203.0.113.9`], '203.0.113.9'],
  ['forwarded-for:cidrs=127.0.0.0/8', false, ['X-Forwarded-For: 192.0.2.1, 203.0.113.9'], '203.0.113.9'],
  ['forwarded-for:cidrs=127.0.0.0/8', false, ['X-Forwarded-For: 203.0.113.9, nonsense'], undefined],
  ['forwarded-for:cidrs=10.0.0.0/8', true, ['X-Forwarded-For: 203.0.113.9'], LOOPBACK],
  ['header:x-client-ip', false, ['X-Client-IP: 203.0.113.9'], '203.0.113.9'],
  ['header:x-client-ip', false, ['X-Client-IP: 203.0.113.9', 'X-Client-IP: 203.0.113.10'], undefined],
  ['header:x-client-ip', false, ['X-Client-IP: 203.0.113.9, 203.0.113.10'], undefined],
];

for (const source of [...new Set(CASES.map(([from]) => from))]) {
  describe(`the client behind a real Envoy, by ${source}`, { skip: skipWithout(found) }, () => {
    let agent: TestAgent;
    const fronts = new Map<boolean, Front>();
    before(async () => {
      agent = await startTestAgent(POLICIES, { 'client-address': source });
      await agent.ready;
      for (const addsPeer of new Set(CASES.filter(([from]) => from === source).map(([, adds]) => adds))) {
        const options = { useRemoteAddress: addsPeer, rawHeaders: addsPeer };
        fronts.set(addsPeer, await startFront(path, agent.grpcAddress, options));
      }
    });
    after(async () => {
      for (const front of fronts.values()) await front.stop();
      await agent?.stop();
    });

    for (const [from, addsPeer, lines, client] of CASES) {
      if (from !== source) continue;
      it(`is ${client ?? 'unknown'} for ${JSON.stringify(lines).slice(0, 100)}`, async () => {
        const front = fronts.get(addsPeer) ?? assert.fail('no Envoy');
        const { status } = await send(front.port, '/', lines);
        // Nobody knows whether an unknown client is a banned one.
        assert.equal(status, client === undefined ? 403 : 200);
        const { 'x-client': told, 'x-forwarded-for': forwarded } = front.upstream.seen.at(-1)?.headers ?? {};
        if (client === APPENDED) assert.equal(told, String(forwarded).split(',').at(-1));
        else if (client !== undefined) assert.equal(told, client);
        const inside = (await send(front.port, '/inside/x', lines)).status;
        assert.equal(inside, client?.startsWith('203.0.113.') === true ? 200 : 403);
      });
    }
  });
}

describe('TLS and peers behind a real Envoy', { skip: skipWithout(found) }, () => {
  const authority = issue({ name: 'authority', isCa: true });
  const own = issue({ name: 'localhost', issuer: authority });
  const client = issue({ name: 'client', issuer: authority });
  const SECURE = { ':path': '/', ':authority': 'secure.example.org' };
  const SPOOFED_PEER = `By=spiffe://x;Hash=${'0'.repeat(64)};URI=spiffe://cluster.local/ns/a/sa/admin`;
  let agent: TestAgent;
  before(async () => {
    agent = await startTestAgent(POLICIES);
    await agent.ready;
  });
  after(() => agent?.stop());

  it('is not known from what a client says on a plain listener, for which Envoy sends an empty tls_session', async (t) => {
    const front = await startFront(path, agent.grpcAddress);
    t.after(() => front.stop());
    const spoofs = ['X-Forwarded-Proto: https', 'X-Forwarded-Ssl: on', 'Front-End-Https: on', 'Forwarded: proto=https'];
    const host = 'Host: secure.example.org';
    const plain = await send(front.port, '/', [host]);
    assert.deepEqual([plain.status, plain.headers['strict-transport-security']], [403, undefined]);
    assert.equal((await send(front.port, '/', [host, ...spoofs])).status, 403);
    assert.equal((await send(front.port, 'https://secure.example.org/', [host])).status, 403);
    const http2 = await openHttp2(front.port);
    t.after(() => http2.close());
    assert.equal((await http2.request({ ...SECURE, ':scheme': 'https' })).status, 403);
    assert.equal(front.upstream.count(), 0);
    await send(front.port, '/', [`X-Forwarded-Client-Cert: ${SPOOFED_PEER}`]);
    assert.equal(front.upstream.seen.at(-1)?.headers['x-principal'], undefined);
  });

  it('is not known from x-forwarded-proto of a client where Envoy is the trusted hop', async (t) => {
    const hop = await startTestAgent(POLICIES, { 'client-address': 'forwarded-for:hops=1' });
    t.after(() => hop.stop());
    await hop.ready;
    const front = await startFront(path, hop.grpcAddress, { useRemoteAddress: true });
    t.after(() => front.stop());
    const headers = ['Host: secure.example.org', 'X-Forwarded-Proto: https'];
    assert.deepEqual([(await send(front.port, '/', headers)).status, front.upstream.count()], [403, 0]);
  });

  it('is known from the server name or the certificate that the client showed', async (t) => {
    const tls = { certificate: own.certificate, key: own.privateKey, clientCa: authority.certificate };
    const front = await startFront(path, agent.grpcAddress, { tls });
    t.after(() => front.stop());
    const known = { cert: client.certificate, key: client.privateKey };
    for (const [how, given, status] of [
      ['nothing', {}, 403],
      ['a name', { servername: 'localhost' }, 200],
      ['a certificate', known, 200],
    ] as const) {
      const http2 = await openHttp2(front.port, { ca: authority.certificate, ...given });
      const answer = await http2.request(SECURE);
      await http2.close();
      const hsts = status === 200 ? 'max-age=86400' : undefined;
      assert.deepEqual([answer.status, answer.headers['strict-transport-security']], [status, hsts], how);
    }
    const http2 = await openHttp2(front.port, { ca: authority.certificate, ...known });
    t.after(() => http2.close());
    assert.equal((await http2.request({ ':path': '/', 'x-forwarded-client-cert': SPOOFED_PEER })).status, 200);
    assert.equal(front.upstream.seen.at(-1)?.headers['x-principal'], 'localhost');
  });
});
