import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { createSecureServer, type ServerHttp2Stream } from 'node:http2';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { startEnvoy } from '../../internal/envoy/process.ts';
import { skipWithout } from '../components/cache.ts';
import { issue } from '../door/certificates.ts';
import { envoyBinary, type Front, openHttp2, rawRequest, send, startEnvoyInFront, startTestAgent } from './harness.ts';

const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: all, namespace: shop}
spec:
  className: postern
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: no-admin, deny: {paths: [/admin]}}]}
`;

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';

describe('a real Envoy without checks', { skip: skipWithout(found) }, () => {
  let front: Front;
  before(async () => {
    front = await startEnvoyInFront({ path, paths: 'off' });
  });
  after(() => front.stop());

  it('carries exact bytes to the upstream that echoes', async () => {
    const bytes = 'GET //a/%2e%2e/b;c?d=%zz HTTP/1.1\r\nHost: API.example.org.\r\nX-A: 1\r\nx-a: 2\r\n\r\n';
    const { status, body } = await rawRequest(front.port, bytes);
    const { method, url, headers } = JSON.parse(body) as Record<string, unknown> & { headers: Record<string, string> };
    assert.deepEqual(
      [status, method, url, headers.host, headers['x-a']],
      [200, 'GET', '//a/%2e%2e/b;c?d=%zz', 'API.example.org.', '1, 2'],
    );
    assert.equal(front.upstream.seen.at(-1)?.url, '//a/%2e%2e/b;c?d=%zz');
  });

  it('carries many requests of one HTTP/2 connection', async () => {
    const client = await openHttp2(front.port);
    const before_ = front.upstream.count();
    const bodies = ['one', 'two', 'three'];
    const answers = await Promise.all(
      bodies.map((body) => client.request({ ':method': 'POST', ':path': `/${body}` }, body)),
    );
    await client.close();
    assert.deepEqual(
      answers.map(({ status, body }) => [status, (JSON.parse(body) as { body: string }).body]),
      bodies.map((body) => [200, body]),
    );
    assert.equal(front.upstream.count() - before_, 3);
  });

  it('answers what is no HTTP without asking the upstream', async () => {
    const before_ = front.upstream.count();
    assert.equal((await rawRequest(front.port, 'nonsense\r\n\r\n')).status, 400);
    assert.equal(front.upstream.count(), before_);
  });

  it('outlives a client that goes away halfway through its body', async () => {
    const socket = connect(front.port, '127.0.0.1');
    const sent = new Promise((resolve) => socket.once('connect', resolve));
    await sent;
    socket.write('POST /half HTTP/1.1\r\nHost: api.example.org\r\nContent-Length: 10\r\n\r\nabc');
    socket.destroy();
    assert.equal((await send(front.port, '/after')).status, 200);
    assert.equal(front.upstream.seen.at(-1)?.url, '/after');
  });

  it('tells its counters, and what it runs with', async () => {
    assert.ok((await front.envoy.stat('http.ingress.downstream_rq_total')) > 0);
    assert.equal(await front.envoy.stat('no.such.counter'), 0);
    assert.ok('cluster.upstream.upstream_rq_total' in (await front.envoy.stats('cluster.upstream.')));
    assert.match(JSON.stringify(await front.envoy.configDump()), /"normalize_path":false/);
  });

  it('refuses a port that another Envoy has, and names it', async () => {
    const second = startEnvoy({ path, listenPort: front.port, upstreamPort: front.upstream.port, extAuthz: undefined });
    await assert.rejects(second, new RegExp(`${front.port}.*Address already in use`, 'is'));
  });

  it('refuses a port that another program has', async (t) => {
    const holder = createServer();
    t.after(() => holder.close());
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const address = holder.address();
    const listenPort = typeof address === 'object' ? address?.port : undefined;
    assert.ok(listenPort !== undefined);
    await assert.rejects(
      startEnvoy({ path, listenPort, upstreamPort: 1, extAuthz: undefined }),
      /Address already in use/i,
    );
  });
});

describe('a real Envoy in front of an agent', { skip: skipWithout(found) }, () => {
  for (const transport of ['tcp', 'unix'] as const) {
    it(`asks over ${transport} and passes on what is allowed only`, async (t) => {
      const socket = join(tmpdir(), `postern-harness-${process.pid}.sock`);
      const agent = await startTestAgent(POLICY, transport === 'unix' ? { 'grpc-addr': `unix:${socket}` } : {});
      t.after(() => agent.stop());
      await agent.ready;
      const where = transport === 'unix' ? { socket } : { extAuthzPort: Number(agent.grpcAddress.split(':').at(-1)) };
      const front = await startEnvoyInFront({ path, ...where });
      t.after(() => front.stop());
      const allowed = await send(front.port, '/a');
      const refused = await send(front.port, '/admin');
      assert.deepEqual([allowed.status, refused.status, front.upstream.count()], [200, 403, 1]);
      const counted = ['ok', 'denied', 'error'].map((name) => front.envoy.stat(`cluster.upstream.ext_authz.${name}`));
      assert.deepEqual(await Promise.all(counted), [1, 1, 0]);
    });
  }

  it('lets nobody through while the agent is away, whatever the status it shows', async (t) => {
    const front = await startEnvoyInFront({ path, extAuthzPort: 1, statusOnError: 503, timeoutMs: 500 });
    t.after(() => front.stop());
    const { status } = await send(front.port, '/a');
    assert.deepEqual([status, front.upstream.count()], [503, 0]);
  });
});

describe('a real Envoy with TLS', { skip: skipWithout(found) }, () => {
  const authority = issue({ name: 'authority', isCa: true });
  const own = issue({ name: 'localhost', issuer: authority });
  const client = issue({ name: 'client', issuer: authority });
  const agentTls = { ca: authority.certificate, certificate: client.certificate, key: client.privateKey };

  it('asks an agent over mutual TLS, tells it routes and metadata, and leaves out a route that is not checked', async (t) => {
    const checks: Buffer[] = [];
    const server = createSecureServer({
      key: own.privateKey,
      cert: own.certificate,
      ca: authority.certificate,
      requestCert: true,
    });
    server.on('stream', (stream: ServerHttp2Stream) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        checks.push(Buffer.concat(chunks));
        stream.respond({ ':status': 200, 'content-type': 'application/grpc', 'grpc-status': '7' }, { endStream: true });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    t.after(() => server.close());
    const address = server.address();
    const extAuthzPort = typeof address === 'object' && address !== null ? address.port : 0;
    const front = await startEnvoyInFront({
      path,
      extAuthzPort,
      agentTls: { ...agentTls, serverName: 'localhost' },
      tls: { certificate: own.certificate, key: own.privateKey, clientCa: authority.certificate },
      contextExtensions: { host: 'from-the-host' },
      metadata: { 'example.org': { word: 'dynamic-word' } },
      metadataNamespaces: ['example.org'],
      routeMetadataNamespaces: ['example.net'],
      routes: [
        { prefix: '/open', isChecked: false },
        {
          prefix: '/',
          contextExtensions: { route: 'from-the-route' },
          metadata: { 'example.net': { a: 'route-word' } },
        },
      ],
    });
    t.after(() => front.stop());
    const http2 = await openHttp2(front.port, {
      ca: authority.certificate,
      cert: client.certificate,
      key: client.privateKey,
    });
    t.after(() => http2.close());
    const open = await http2.request({ ':path': '/open' });
    const refused = await http2.request({ ':path': '/closed' });
    assert.deepEqual([open.status, refused.status, front.upstream.count(), checks.length], [200, 403, 1, 1]);
    const words = ['from-the-host', 'from-the-route', 'dynamic-word', 'route-word', 'BEGIN%20CERTIFICATE'];
    assert.deepEqual(
      words.filter((word) => checks[0]?.includes(word) === false),
      [],
    );
  });
});
