import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { skipWithout } from '../components/cache.ts';
import {
  type Answer,
  envoyBinary,
  type Front,
  type FrontOptions,
  openHttp2,
  send,
  sendRaw,
  startEnvoyInFront,
  startTestAgent,
  type TestAgent,
} from '../envoy/harness.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/envoy-http.md'), 'utf8');
const FILTER = parse(/```yaml\n(.*?)```/s.exec(PAGE)?.[1]?.replaceAll('cluster: postern', 'cluster: agent') ?? '') as {
  readonly typed_config: Readonly<Record<string, unknown>>;
};
const CARRIED = /--http-carried-headers=(\S+)/.exec(PAGE)?.[1] ?? '';
const KEY = 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f';
const POLICIES = `${readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8')}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: open}
spec:
  target: {hosts: [open.example.org]}
  authentication: {anonymous: {}}
  authorization:
    rules:
      - {name: all, allow: {any: {}}}
      - {name: admin, deny: {paths: [/admin]}}
      - {name: body, deny: {paths: [/body], when: [{expression: "request.body.x == 1"}]}}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: late}
spec:
  target: {hosts: [late.example.org]}
  authentication:
    methods: [{name: sso, jwt: {issuer: "https://192.0.2.1:1", audiences: ["*"]}}]
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: query}
spec:
  target: {hosts: [query.example.org]}
  authentication: {methods: [{name: keys, apiKey: {from: [{query: api_key}]}}]}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: uncarried}
spec:
  target: {hosts: [uncarried.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  response: {upstreamHeaders: [{name: x-tenant, value: {expression: "'none'"}}]}
`;
const found = await envoyBinary();

describe('docs/envoy-http.md', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  let front: Front;

  before(async () => {
    agent = await startTestAgent(POLICIES, {
      'http-addr': '127.0.0.1:0',
      'http-carried-headers': CARRIED,
      'client-address': 'forwarded-for:hops=1',
      bodies: 'forwarded',
    });
    await agent.ready;
    front = await inFront();
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
  });

  function inFront(options: FrontOptions = {}, fields: Readonly<Record<string, unknown>> = {}): Promise<Front> {
    const { httpAddress } = agent;
    assert.ok(httpAddress?.kind === 'tcp');
    return startEnvoyInFront({
      extAuthzPort: httpAddress.port,
      agentDoor: 'http',
      useRemoteAddress: true,
      paths: 'off',
      managerFields: { upgrade_configs: [{ upgrade_type: 'websocket' }] },
      filterFields: { grpc_service: undefined, validate_mutations: undefined, ...FILTER.typed_config, ...fields },
      ...options,
    });
  }

  const open = (target: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> =>
    send(front.port, target, ['Host: open.example.org', ...headers], method);
  const lastRecord = (): Readonly<Record<string, unknown>> => agent.lines.at(-1) ?? {};

  it('shows an Envoy that lets a partner in, tells the upstream who it is, and keeps the key', async () => {
    const target = '/v1/orders/7?a=%41';
    const { status, headers } = await send(front.port, target, [
      'Host: localhost',
      KEY,
      'x-caller: admin',
      'x-http-method: DELETE',
    ]);
    const seen = front.upstream.seen.at(-1);
    assert.equal(status, 200);
    assert.match(headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
    assert.match(headers.ratelimit ?? '', /per-caller/);
    const { 'x-caller': caller, 'x-api-key': key, 'x-http-method': override } = seen?.headers ?? {};
    assert.deepEqual([seen?.url, caller, key, override], [target, 'acme', undefined, undefined]);
  });

  it('answers a refusal whole', async () => {
    const { status, headers, body } = await send(front.port, '/v1/orders/7', ['Host: localhost']);
    assert.deepEqual([status, headers['content-type']], [401, 'application/problem+json']);
    assert.ok(headers['www-authenticate']);
    assert.equal(JSON.parse(body).decisionId, headers['x-postern-decision-id']);
  });

  it('judges the request itself, and no header that names another', async () => {
    const lies = [
      'X-Original-URI: /x',
      'X-Forwarded-Uri: /x',
      'X-Forwarded-Method: GET',
      'X-Original-Host: localhost',
      'X-Forwarded-Host: localhost',
    ];
    assert.equal((await open('/admin', lies)).status, 403);
    assert.equal((await open('/x', lies)).status, 200);
    assert.equal(
      (await sendRaw(front.port, ['GET http://open.example.org/admin HTTP/1.1', 'Host: localhost'])).status,
      403,
    );
  });

  it('reads a path as it came', async () => {
    for (const target of ['/%61dmin', '/ADMIN', '/admin/', '/admin?x'])
      assert.equal((await open(target)).status, 403, target);
    for (const target of ['/a%2fb', '//admin', '/x/../admin', '/x/%2e%2e/admin', '/admin;x', '/\\admin'])
      assert.equal((await open(target)).status, 400, target);
  });

  it('judges bodies as Envoy forwards them', async () => {
    const post = (body: string, headers: readonly string[] = []): Promise<Answer> =>
      sendRaw(
        front.port,
        ['POST /body HTTP/1.1', 'Host: open.example.org', `Content-Length: ${body.length}`, ...headers],
        body,
      );
    assert.equal((await post('{"x":2}')).status, 200);
    assert.equal((await post('{"x":1}')).status, 403);
    assert.equal(lastRecord().reason, 'denied_by_rule');
    assert.equal((await post(`{"x":2,"y":"${'y'.repeat(70_000)}"}`)).status, 403);
    assert.equal(lastRecord().reason, 'expression_error', 'what arrives cut is not judged by its beginning');
    assert.equal(
      (await post('', ['X-Envoy-Auth-Partial-Body: false'])).status,
      403,
      'a POST without a body is not known to have none',
    );
  });

  it('checks an upgrade like any other request', async () => {
    const upgrade = ['Upgrade: websocket', 'Connection: upgrade', 'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=='];
    assert.equal((await open('/admin', upgrade)).status, 403);
    assert.equal((await open('/body', upgrade)).status, 403);
    assert.equal(lastRecord().reason, 'expression_error');
  });

  it('answers HEAD and OPTIONS, and clients of HTTP/2', async () => {
    assert.equal((await sendRaw(front.port, ['HEAD /x HTTP/1.1', 'Host: open.example.org'])).status, 200);
    assert.equal((await sendRaw(front.port, ['HEAD /admin HTTP/1.1', 'Host: open.example.org'])).status, 403);
    assert.equal((await open('/admin', [], 'OPTIONS')).status, 403);
    const client = await openHttp2(front.port);
    try {
      const request = (path: string) => client.request({ ':path': path, ':authority': 'open.example.org' });
      assert.deepEqual([(await request('/x')).status, (await request('/admin')).status], [200, 403]);
    } finally {
      await client.close();
    }
  });

  it('refuses what Envoy would carry out by half', async () => {
    const ask = (host: string, target: string, headers: readonly string[] = []) =>
      send(front.port, target, [`Host: ${host}`, ...headers]);
    assert.equal((await ask('uncarried.example.org', '/', ['x-tenant: other'])).status, 403);
    assert.equal(lastRecord().reason, 'edit_unsupported');
    assert.equal((await ask('query.example.org', '/?api_key=pk_dev_partner_9c1f2e77a0b44d5f')).status, 403);
    assert.equal(lastRecord().reason, 'edit_unsupported');
    assert.match(String(lastRecord().cause), /the credential is in the query/);
  });

  it('answers a fault so that failure_mode_allow cannot let it pass', async () => {
    const lenient = await inFront({ failureModeAllow: true });
    try {
      const token = `Bearer ${['{"alg":"ES256","typ":"JWT"}', '{"iss":"https://192.0.2.1:1","aud":"x"}', 'x'].map((part) => Buffer.from(part).toString('base64url')).join('.')}`;
      const { status, headers } = await send(lenient.port, '/', ['Host: late.example.org', `Authorization: ${token}`]);
      assert.deepEqual([status, headers['x-postern-status']], [403, '503']);
    } finally {
      await lenient.stop();
    }
  });

  it('is found out without the line that hides content-type', async () => {
    const careless = await inFront({}, { disallowed_headers: undefined });
    try {
      assert.equal(
        (await send(careless.port, '/x', ['Host: open.example.org', 'Content-Type: text/plain'])).status,
        400,
      );
      assert.match(String(lastRecord().cause), /^content-type arrived, .* disallowed_headers: /);
    } finally {
      await careless.stop();
    }
  });

  it('lets nothing pass while Postern is away, neither what looks like gRPC', async () => {
    const away = await inFront({ extAuthzPort: 1 });
    try {
      assert.equal((await open('/x')).status, 200);
      const before = away.upstream.count();
      for (const type of ['text/plain', 'application/grpc'])
        await send(away.port, '/x', ['Host: open.example.org', `Content-Type: ${type}`], 'POST');
      assert.equal(away.upstream.count(), before);
    } finally {
      await away.stop();
    }
  });

  it('needs that line: without it Envoy takes its own answer in the form of gRPC for an allow', async () => {
    const careless = await inFront({ extAuthzPort: 1 }, { disallowed_headers: undefined });
    try {
      await send(careless.port, '/x', ['Host: open.example.org', 'Content-Type: application/grpc'], 'POST');
      assert.equal(careless.upstream.count(), 1, 'if Envoy has mended this, docs/envoy-http.md can say so');
    } finally {
      await careless.stop();
    }
  });
});
