import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { after, before, describe, it } from 'node:test';
import { requireComponent } from '../components/cache.ts';
import { until } from '../components/until.ts';
import {
  envoyBinary,
  type Front,
  rawRequest,
  send,
  sendRaw,
  startFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const KEY = 'a-key-of-the-tests-0123456789';
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api}
spec:
  target: {hosts: [api.example.org]}
  public: [{name: open, methods: [GET, POST], paths: ["/public/**"]}]
  authentication: {methods: [{name: keys, apiKey: {from: [{header: x-api-key}, {query: key}]}}]}
  authorization:
    rules:
      - {name: all, allow: {any: {}}}
      - {name: no-admin, deny: {paths: ["/admin/**"]}}
      - {name: no-role, deny: {paths: ["/roles/**"], when: [{expression: "'admin' in request.headerValues['x-role']"}]}}
      - {name: small, deny: {paths: ["/body/**"], when: [{expression: "request.body.amount > 10.0"}]}}
      - {name: short, deny: {paths: ["/short/**"], when: [{expression: "request.size > 3"}]}}
  response: {upstreamHeaders: [{name: x-caller, value: {expression: identity.subject}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {keys: [{name: k, sha256: ${hash('sha256', KEY, 'hex')}}]}
`;

describe('a real Envoy in front of Postern', async () => {
  const found = await envoyBinary();
  let agent: TestAgent;
  let front: Front;
  const auth = `X-Api-Key: ${KEY}`;

  before(async () => {
    if (!('path' in found)) return;
    agent = await startTestAgent(POLICIES, { bodies: 'forwarded' });
    await agent.ready;
    front = await startFront(found.path, agent.grpcAddress, {
      withBody: { maxBytes: 1024, allowPartial: true },
      managerFields: { upgrade_configs: [{ upgrade_type: 'websocket' }] },
    });
  });
  after(async () => {
    await front?.stop();
    await agent?.stop();
  });

  it('reaches the upstream with who is calling, and without the key', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const answer = await send(front.port, '/v1?key2=1', [
      auth,
      'x-caller: evil',
      'X_Caller: evil',
      'X.Caller: evil',
      'X-HTTP-Method-Override: DELETE',
    ]);
    assert.equal(answer.status, 200);
    const seen = front.upstream.seen.at(-1);
    assert.equal(seen?.headers['x-caller'], 'acme');
    assert.deepEqual(
      Object.keys(seen.headers).filter((name) => /api-key|x[_.]caller|override/.test(name)),
      [],
    );
    assert.equal(seen.url, '/v1?key2=1');
  });

  it('takes a key out of the query', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal((await send(front.port, `/v1?a=1&key=${KEY}&b=2`)).status, 200);
    assert.equal(front.upstream.seen.at(-1)?.url, '/v1?a=1&b=2');
  });

  it('keeps what Connection names from removing our header', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const answer = await sendRaw(front.port, [
      'GET /v1 HTTP/1.1',
      'Host: api.example.org',
      auth,
      'Connection: close, X-Caller',
      'x-caller: evil',
    ]);
    assert.equal(answer.status, 200);
    assert.equal(front.upstream.seen.at(-1)?.headers['x-caller'], 'acme');
  });

  it('refuses with a problem document, a challenge and a decision id', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const before = front.upstream.count();
    const answer = await send(front.port, '/v1');
    assert.equal(answer.status, 401);
    assert.equal(answer.headers['content-type'], 'application/problem+json');
    assert.equal(answer.headers['www-authenticate'], 'ApiKey realm="api"');
    const problem = JSON.parse(answer.body) as Record<string, unknown>;
    assert.equal(problem.decisionId, answer.headers['x-postern-decision-id']);
    assert.deepEqual(
      { ...problem, decisionId: '' },
      { type: 'urn:postern:reason:credential_missing', title: 'A credential is required', status: 401, decisionId: '' },
    );
    assert.equal(front.upstream.count(), before);
  });

  it('answers gRPC callers with grpc-status', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const answer = await send(
      front.port,
      '/pkg.Service/Method',
      ['content-type: application/grpc', 'te: trailers'],
      'POST',
    );
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['grpc-status'], '16');
    assert.match(answer.headers['grpc-message'] ?? '', /^A credential is required/);
  });

  it('sees every line of a repeated header', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal((await send(front.port, '/roles/x', [auth, 'X-Role: user', 'X-Role: admin'])).status, 403);
    assert.equal((await send(front.port, '/roles/x', [auth, 'X-Role: user'])).status, 200);
  });

  it('takes two keys for none', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    assert.equal((await send(front.port, '/v1', [auth, auth])).status, 400);
    assert.equal((await send(front.port, `/v1?key=${KEY}`, [auth])).status, 400);
  });

  it('judges a body that was forwarded, and refuses one that was cut', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const post = (body: string) =>
      sendRaw(
        front.port,
        [
          'POST /body/x HTTP/1.1',
          'Host: api.example.org',
          auth,
          `Content-Length: ${body.length}`,
          'Content-Type: application/json',
        ],
        body,
      );
    assert.equal((await post('{"amount": 3}')).status, 200);
    assert.equal((await post('{"amount": 30}')).status, 403);
    assert.equal((await post('{"amount": 3, "amount": 30}')).status, 400);
    assert.equal((await post(`{"amount": 3, "x": "${'y'.repeat(2000)}"}`)).status, 403);
    const before = front.upstream.count();
    assert.equal((await post('not json')).status, 403);
    assert.equal(front.upstream.count(), before);
  });

  it('takes the body of an upgrade, which Envoy does not forward, for unknown and not for none', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const post = async (body: string, ...lines: string[]): Promise<number> => {
      const head = ['POST /short/x HTTP/1.1', 'Host: api.example.org', auth, `Content-Length: ${body.length}`];
      const bytes = [...head, ...lines].join('\r\n');
      return (await rawRequest(front.port, `${bytes}\r\n\r\n${body}`)).status;
    };
    const upgrade = ['Connection: Upgrade', 'Upgrade: websocket'];
    assert.deepEqual(
      [await post('abc'), await post('long body'), await post('long body', ...upgrade), await post('', ...upgrade)],
      [200, 403, 403, 403],
    );
  });

  it("is not fooled by a client's own mark of a whole body", async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const body = `{"amount": 3, "x": "${'y'.repeat(2000)}"}`;
    const head = [
      'POST /body/x HTTP/1.1',
      'Host: api.example.org',
      auth,
      `Content-Length: ${body.length}`,
      'x-envoy-auth-partial-body: false',
    ];
    assert.equal((await sendRaw(front.port, head, body)).status, 403);
  });

  it('serves a changed file at once, and keeps the last good one when it breaks', async (t) => {
    if (requireComponent(found, t) === undefined) return;
    const open = POLICIES.replace('"/public/**"', '"/public/**", "/new/**"');
    agent.write('policies.yaml', open);
    await until(async () => (await send(front.port, '/new/x')).status === 200);
    agent.write('policies.yaml', 'spec: [broken');
    await until(() => agent.lines.some((line) => String(line.message).includes('policies.yaml:1')));
    assert.equal((await send(front.port, '/new/x')).status, 200);
    agent.write('policies.yaml', open.replace('authorization:', 'authorisation:'));
    await until(() => agent.lines.some((line) => String(line.message).includes('did you mean "authorization"')));
    assert.equal((await send(front.port, '/new/x')).status, 200);
    agent.write('policies.yaml', POLICIES);
    await until(async () => (await send(front.port, '/new/x')).status === 401);
  });
});
