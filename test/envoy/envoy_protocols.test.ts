import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { skipWithout } from '../components/cache.ts';
import {
  envoyBinary,
  type Front,
  type Http2Client,
  openHttp2,
  rawRequest,
  send,
  sendRaw,
  startFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const KEY = 'a-key-of-the-protocols-0123456789';
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  public: [{name: open, methods: [GET, HEAD, OPTIONS], paths: [/open/**]}]
  authentication: {methods: [{name: keys, apiKey: {}}]}
  authorization:
    rules:
      - {name: calls, allow: {methods: [GET, POST, HEAD]}}
      - {name: closed, deny: {paths: [/closed/**]}}
      - {name: errs, deny: {paths: [/errs/**], when: [{expression: "int(request.headers['x-number']) > 3"}]}}
  rateLimits:
    - {name: few, stage: AfterAuthentication, key: [{expression: "request.path.startsWith('/few/') ? 'x' : null", missing: Skip}], rates: [{requests: 1, window: 1h}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: tokens}
spec:
  target: {hosts: [tokens.example.org]}
  authentication: {methods: [{name: sso, jwt: {issuer: "http://127.0.0.1:1", audiences: [a]}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
`;
const TOKEN = [
  { alg: 'RS256', kid: 'k' },
  { iss: 'http://127.0.0.1:1', aud: 'a', exp: 4e9 },
]
  .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
  .concat('AAAA')
  .join('.');
const KEY_HEADER = { 'x-api-key': KEY };
const GRPC = { ':method': 'POST', 'content-type': 'application/grpc', te: 'trailers' };
/** A message of gRPC without content. */
const MESSAGE = new Uint8Array(5);

const found = await envoyBinary();

describe('protocols that a real Envoy carries', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  let front: Front;
  let http2: Http2Client;
  before(async () => {
    agent = await startTestAgent(POLICIES);
    await agent.ready;
    front = await startFront('path' in found ? found.path : '', agent.grpcAddress, {
      managerFields: {
        upgrade_configs: [{ upgrade_type: 'websocket' }, { upgrade_type: 'CONNECT' }],
        http2_protocol_options: { allow_connect: true },
      },
    });
    http2 = await openHttp2(front.port);
  });
  after(async () => {
    await http2?.close();
    await front?.stop();
    await agent?.stop();
  });

  const refusals = {
    'without a credential': ['/a.B/C', {}, '16', 'A credential is required'],
    'with an unknown key': ['/a.B/C', { 'x-api-key': 'unknown-0123456789' }, '16', 'The credential is not valid'],
    'where a rule denies': ['/closed/C', KEY_HEADER, '7', 'Not allowed'],
    'where an expression errs': ['/errs/C', { ...KEY_HEADER, 'x-number': 'many' }, '7', 'Not allowed'],
    'on a host that nobody holds': ['/a.B/C', { ':authority': 'other.test' }, '5', 'No policy allows'],
    'on a path with two readings': ['/a%2fB/C', KEY_HEADER, '3', 'The path can be read'],
    'while the issuer is gone': [
      '/a.B/C',
      { ':authority': 'tokens.example.org', authorization: `Bearer ${TOKEN}` },
      '14',
      'A dependency cannot answer now',
    ],
  } as const;
  for (const [what, [path, headers, status, message]] of Object.entries(refusals)) {
    it(`gives a gRPC caller ${what} the status ${status} and no body`, async () => {
      const reached = front.upstream.count();
      const answer = await http2.request({ ...GRPC, ':path': path, ...headers }, MESSAGE);
      const { 'grpc-status': code, 'content-type': type, 'grpc-message': text = '' } = answer.headers;
      assert.deepEqual([answer.status, code, type, answer.body], [200, status, 'application/grpc', '']);
      assert.ok(decodeURIComponent(text).startsWith(message), text);
      assert.ok(answer.headers['x-postern-decision-id']);
      assert.equal(front.upstream.count(), reached);
    });
  }

  it('gives a gRPC caller beyond its limit RESOURCE_EXHAUSTED, and when to come back', async () => {
    const call = () => http2.request({ ...GRPC, ':path': '/few/C', ...KEY_HEADER }, MESSAGE);
    assert.equal((await call()).headers['grpc-status'], undefined);
    const { headers } = await call();
    assert.deepEqual([headers['grpc-status'], Number(headers['retry-after']) >= 1], ['8', true]);
  });

  it('tells gRPC-Web and HTTP callers in the way of HTTP', async () => {
    for (const type of ['application/grpc-web', 'application/grpc-web+proto', 'application/json']) {
      const { status, headers } = await http2.request({ ...GRPC, ':path': '/a.B/C', 'content-type': type }, MESSAGE);
      assert.deepEqual([status, headers['content-type']], [401, 'application/problem+json'], type);
    }
  });

  it('checks many streams of one connection apart from each other', async () => {
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, i) => http2.request({ ':path': `/${i}`, ...(i % 2 === 0 && KEY_HEADER) })),
    );
    assert.deepEqual(
      answers.map(({ status }) => status),
      Array.from({ length: 60 }, (_, i) => (i % 2 === 0 ? 200 : 401)),
    );
  });

  it('refuses an upgrade to WebSocket as any other request, and lets the allowed one on', async () => {
    const upgrade = (target: string, ...more: string[]) =>
      sendRaw(front.port, [
        `GET ${target} HTTP/1.1`,
        'Host: api.example.org',
        'Connection: Upgrade',
        'Upgrade: websocket',
        'Sec-WebSocket-Version: 13',
        'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
        ...more,
      ]);
    const reached = front.upstream.count();
    assert.equal((await upgrade('/chat')).status, 401);
    assert.equal((await upgrade('/closed/chat', `X-Api-Key: ${KEY}`)).status, 403);
    assert.equal(front.upstream.count(), reached);
    await upgrade('/chat', `X-Api-Key: ${KEY}`);
    assert.equal(front.upstream.count(), reached + 1);
  });

  it('refuses CONNECT, which has no path, in HTTP/1.1 and HTTP/2, with a key as without', async () => {
    const reached = front.upstream.count();
    for (const key of [[], [`X-Api-Key: ${KEY}`]]) {
      const head = ['CONNECT api.example.org:443 HTTP/1.1', 'Host: api.example.org:443', ...key, '', ''];
      const { status } = await rawRequest(front.port, head.join('\r\n'));
      assert.ok(status >= 400 && status < 500, `CONNECT answered ${status}`);
    }
    const client = await openHttp2(front.port);
    const answer = await client
      .request({ ':method': 'CONNECT', ':authority': 'api.example.org:443', ...KEY_HEADER })
      .catch(() => undefined);
    await client.close();
    assert.ok(
      answer === undefined || (answer.status >= 400 && answer.status < 500),
      `CONNECT answered ${answer?.status}`,
    );
    assert.equal(front.upstream.count(), reached);
    assert.equal((await send(front.port, '/', [`X-Api-Key: ${KEY}`])).status, 200);
  });

  it('takes "*", absolute targets and methods as they are, and makes none of them public', async () => {
    const reached = front.upstream.count();
    const statuses: Record<string, number> = {};
    for (const [method, target] of [
      ['OPTIONS', '*'],
      ['GET', 'http://api.example.org/closed/x'],
      ['GET', 'http://other.test/open/x'],
      ['POST', '/open/x'],
      ['PUT', '/open/x'],
      ['PROPFIND', '/open/x'],
      ['get', '/open/x'],
    ] as const)
      statuses[`${method} ${target}`] = (await send(front.port, target, [], method)).status;
    assert.deepEqual(statuses, {
      'OPTIONS *': 404,
      'GET http://api.example.org/closed/x': 401,
      'GET http://other.test/open/x': 404,
      'POST /open/x': 401,
      'PUT /open/x': 401,
      'PROPFIND /open/x': 401,
      'get /open/x': 400,
    });
    assert.equal(front.upstream.count(), reached);
    const absolute = await sendRaw(front.port, ['GET http://api.example.org/open/x HTTP/1.1', 'Host: other.test']);
    assert.deepEqual([absolute.status, front.upstream.seen.at(-1)?.headers.host], [200, 'api.example.org']);
  });

  it('opens to CORS preflights, health paths and probes what is public, and nothing else', async () => {
    const preflight = ['Origin: https://app.test', 'Access-Control-Request-Method: GET'];
    const statuses = [
      await send(front.port, '/open/x', preflight, 'OPTIONS'),
      await send(front.port, '/v1', preflight, 'OPTIONS'),
      await send(front.port, '/healthz', ['User-Agent: kube-probe/1.30']),
      await send(front.port, '/.well-known/acme-challenge/x'),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [200, 401, 401, 401]);
  });

  it('answers HEAD without a body, and HTTP/1.0', async () => {
    const head = await send(front.port, '/v1', [], 'HEAD');
    assert.deepEqual([head.status, head.body], [401, '']);
    const old = await rawRequest(front.port, `GET /v1 HTTP/1.0\r\nHost: api.example.org\r\nX-Api-Key: ${KEY}\r\n\r\n`);
    assert.equal(old.status, 200);
    assert.ok((await rawRequest(front.port, 'GET /v1 HTTP/1.0\r\n\r\n')).status >= 400);
  });
});
