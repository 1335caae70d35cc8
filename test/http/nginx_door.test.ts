import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { type EchoUpstream, startEchoUpstream } from '../../internal/envoy/echo-upstream.ts';
import { skipWithout } from '../components/cache.ts';
import { freePort } from '../components/free-port.ts';
import { type Answer, send, sendRaw, startTestAgent, type TestAgent } from '../envoy/harness.ts';
import { nginxBinary, type RunningNginx, startNginx } from './nginx.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/nginx.md'), 'utf8');
const CONFIG = /```nginx\n(.*?)```/s.exec(PAGE)?.[1] ?? '';
const CARRIED = /--http-carried-headers=(\S+)/.exec(PAGE)?.[1] ?? '';
const KEY = 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f';
const POLICIES = `${readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8')}
---
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: secure}
spec:
  target: {hosts: [secure.example.org]}
  transport: {requireTLS: true}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
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
      - {name: deletes, deny: {methods: [DELETE]}}
      - {name: addresses, deny: {paths: [/far], when: [{expression: "client.address == '127.0.0.1'"}]}}
      - {name: broken, deny: {paths: [/broken], when: [{expression: "request.body.x == 1"}]}}
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
const found = await nginxBinary();

describe('docs/nginx.md', { skip: skipWithout(found) }, () => {
  let agent: TestAgent;
  let upstream: EchoUpstream;
  let nginx: RunningNginx;

  before(async () => {
    agent = await startTestAgent(POLICIES, { 'http-addr': '127.0.0.1:0', 'http-carried-headers': CARRIED });
    await agent.ready;
    upstream = await startEchoUpstream();
    nginx = await start(CONFIG);
  });
  after(async () => {
    await nginx?.stop();
    await upstream?.close();
    await agent?.stop();
  });

  async function start(config: string): Promise<RunningNginx> {
    const port = await freePort();
    const { httpAddress } = agent;
    assert.ok(httpAddress?.kind === 'tcp');
    const placed = [
      ['127.0.0.1:9192', `127.0.0.1:${httpAddress.port}`],
      ['127.0.0.1:8000', `127.0.0.1:${port}`],
      ['127.0.0.1:8080', `127.0.0.1:${upstream.port}`],
    ] as const;
    const text = placed.reduce((whole, [from, to]) => {
      assert.ok(whole.includes(from), from);
      return whole.replace(from, to);
    }, config);
    return startNginx('path' in found ? found.path : '', text, port);
  }

  const ask = (target: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> =>
    send(
      nginx.port,
      target,
      headers.some((line) => line.startsWith('Host:')) ? headers : ['Host: localhost', ...headers],
      method,
    );
  const open = (target: string, headers: readonly string[] = [], method = 'GET'): Promise<Answer> =>
    ask(target, ['Host: open.example.org', ...headers], method);
  const lastRecord = (): Readonly<Record<string, unknown>> => agent.lines.at(-1) ?? {};

  it('shows an nginx that lets a partner in, tells the upstream who it is, and keeps the key', async () => {
    const { status, headers } = await ask('/v1/orders/7?a=%41', [
      KEY,
      'X-Caller: admin',
      'X-HTTP-Method-Override: DELETE',
    ]);
    const seen = upstream.seen.at(-1);
    assert.equal(status, 200);
    assert.match(headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
    assert.match(headers.ratelimit ?? '', /per-caller/);
    const { 'x-caller': caller, 'x-api-key': key, 'x-http-method-override': override } = seen?.headers ?? {};
    assert.deepEqual([seen?.url, caller, key, override], ['/v1/orders/7?a=%41', 'acme', undefined, undefined]);
  });

  it('sends no client-made identity to the upstream where the policy says none', async () => {
    assert.equal((await open('/x', ['X-Caller: admin'])).status, 200);
    assert.equal(upstream.seen.at(-1)?.headers['x-caller'], 'admin', 'what no policy of the host sets is the client’s');
    assert.equal((await ask('/healthz', ['X-Caller: admin'])).status, 200);
    assert.notEqual(upstream.seen.at(-1)?.headers['x-caller'], 'admin');
  });

  it('answers 401 with the challenge', async () => {
    const { status, headers } = await ask('/v1/orders/7');
    assert.equal(status, 401);
    assert.ok(headers['www-authenticate']);
    assert.match(headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
  });

  it('answers each refusal with the status that is meant', async () => {
    const statuses = async (...answers: readonly Promise<Answer>[]): Promise<number[]> =>
      (await Promise.all(answers)).map(({ status }) => status);
    assert.deepEqual(
      await statuses(open('/admin'), open('/a%2fb'), ask('/', ['Host: nobody.example.org'])),
      [403, 400, 404],
    );
    const limited: Answer[] = [];
    for (let i = 0; i < 7; i += 1)
      limited.push(await ask('/v1/orders/7', ['x-api-key: pk_dev_partner_9c1f2e77a0b44d5f']));
    const last = limited.at(-1);
    assert.equal(last?.status, 429);
    assert.match(last?.headers['retry-after'] ?? '', /^\d+$/);
    assert.match(last?.headers['x-postern-decision-id'] ?? '', /^[0-9a-f]{32}$/);
  });

  it('judges the method, path and host of the request, and no header of the client that names others', async () => {
    const lies = [
      'X-Original-URI: /x',
      'X-Original-Method: GET',
      'X-Original-Host: localhost',
      'X-Forwarded-Uri: /x',
      'X-Real-IP: 8.8.8.8',
      'X-Forwarded-Proto: https',
    ];
    assert.equal((await open('/admin', lies)).status, 403);
    assert.equal((await open('/ADMIN', lies)).status, 403);
    assert.equal((await open('/far', lies)).status, 403);
    assert.equal((await ask('/', ['Host: secure.example.org', ...lies])).status, 403);
    assert.equal(lastRecord().reason, 'tls_required');
    assert.equal((await open('/x', lies, 'DELETE')).status, 403);
    assert.equal(lastRecord().method, 'DELETE');
    assert.equal(lastRecord()['client.address'], '127.0.0.1');
  });

  it('judges the host of an absolute target, as nginx does', async () => {
    const { status } = await sendRaw(nginx.port, ['GET http://open.example.org/admin HTTP/1.1', 'Host: localhost']);
    assert.deepEqual([status, lastRecord().host, lastRecord().reason], [403, 'open.example.org', 'denied_by_rule']);
  });

  it('refuses a request without a host', async () => {
    assert.equal((await sendRaw(nginx.port, ['GET / HTTP/1.0'])).status, 400);
    assert.match(
      String(lastRecord().cause),
      /x-original-host is missing: write "proxy_set_header x-original-host \$host;"/,
    );
  });

  it('refuses rules that read a body, which never comes', async () => {
    const { status } = await sendRaw(
      nginx.port,
      ['POST /broken HTTP/1.1', 'Host: open.example.org', 'X-Envoy-Auth-Partial-Body: false', 'Content-Length: 7'],
      '{"x":2}',
    );
    assert.deepEqual([status, lastRecord().reason], [403, 'expression_error']);
    const passed = await sendRaw(
      nginx.port,
      ['POST /y HTTP/1.1', 'Host: open.example.org', 'Transfer-Encoding: chunked'],
      '2\r\nhi\r\n0\r\n\r\n',
    );
    assert.deepEqual([passed.status, upstream.seen.at(-1)?.body], [200, 'hi']);
  });

  it('refuses a policy whose header nginx would leave to the client', async () => {
    assert.equal((await ask('/', ['Host: uncarried.example.org', 'X-Tenant: other'])).status, 403);
    assert.equal(lastRecord().reason, 'edit_unsupported');
    assert.match(String(lastRecord().cause), /^x-tenant is to be set, .*--http-carried-headers$/);
  });

  it('answers HEAD, OPTIONS and methods that nobody knows', async () => {
    assert.equal((await sendRaw(nginx.port, ['HEAD /x HTTP/1.1', 'Host: open.example.org'])).status, 200);
    assert.equal((await open('/x', [], 'OPTIONS')).status, 200);
    assert.equal((await open('/admin', [], 'OPTIONS')).status, 403);
    assert.equal((await open('/admin', [], 'FROBNICATE')).status, 403);
    assert.equal(lastRecord().method, 'FROBNICATE');
  });

  for (const name of ['X-Original-Method', 'X-Original-URI', 'X-Original-Host', 'X-Forwarded-Proto', 'X-Real-IP']) {
    it(`is found out without its line for ${name}, or with two`, async () => {
      const line = new RegExp(`^ *proxy_set_header ${name} .*\n`, 'm');
      assert.match(CONFIG, line);
      for (const [config, cause] of [
        [CONFIG.replace(line, ''), `${name.toLowerCase()} is missing: write `],
        [CONFIG.replace(line, (whole) => whole + whole), `${name.toLowerCase()} came 2 times: write `],
      ] as const) {
        const other = await start(config);
        try {
          assert.equal((await send(other.port, '/x', ['Host: open.example.org'])).status, 400);
          assert.ok(String(lastRecord().cause).startsWith(cause), String(lastRecord().cause));
        } finally {
          await other.stop();
        }
      }
    });
  }

  it('refuses everything while Postern cannot be asked', async () => {
    const other = await start(CONFIG);
    const { httpAddress } = agent;
    assert.ok(httpAddress?.kind === 'tcp');
    await other.stop();
    const dead = await startNginx(
      'path' in found ? found.path : '',
      CONFIG.replace('127.0.0.1:9192', '127.0.0.1:1').replace('127.0.0.1:8000', `127.0.0.1:${other.port}`),
      other.port,
    );
    try {
      assert.equal((await send(dead.port, '/x', ['Host: open.example.org'])).status, 500);
    } finally {
      await dead.stop();
    }
  });

  it('gives nginx no status that it does not know', () => {
    assert.doesNotMatch(nginx.said(), /unexpected status/);
  });
});
