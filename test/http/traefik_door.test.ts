import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { parse } from 'yaml';
import { type Answer, sendRaw, startTestAgent, type TestAgent } from '../envoy/harness.ts';

const ROOT = join(import.meta.dirname, '../..');
const PAGE = readFileSync(join(ROOT, 'docs/traefik.md'), 'utf8');
const CARRIED = /--http-carried-headers=(\S+)/.exec(PAGE)?.[1] ?? '';
const CONFIG = parse(/```yaml\n(.*?)```/s.exec(PAGE)?.[1] ?? '') as {
  readonly http: {
    readonly middlewares: {
      readonly postern: {
        readonly forwardAuth: { readonly address: string; readonly authResponseHeaders: readonly string[] };
      };
    };
  };
};
const { address, authResponseHeaders } = CONFIG.http.middlewares.postern.forwardAuth;
const KEY = 'x-api-key: pk_dev_partner_9c1f2e77a0b44d5f';

/** As Traefik's forwardAuth asks with `trustForwardHeader: false`: a GET with the client's headers, and its own over them. */
interface Asked {
  readonly method?: string;
  readonly uri?: string;
  readonly host?: string;
  readonly proto?: string;
  readonly headers?: readonly string[];
}

describe('docs/traefik.md', () => {
  let agent: TestAgent;

  before(async () => {
    agent = await startTestAgent(readFileSync(join(ROOT, 'policies/orders.yaml'), 'utf8'), {
      'http-addr': '127.0.0.1:0',
      'http-carried-headers': CARRIED,
    });
    await agent.ready;
  });
  after(() => agent?.stop());

  function ask({
    method = 'GET',
    uri = '/v1/orders/7',
    host = 'localhost',
    proto = 'http',
    headers = [],
  }: Asked): Promise<Answer> {
    const { httpAddress } = agent;
    assert.ok(httpAddress?.kind === 'tcp');
    const own = [
      `X-Forwarded-Method: ${method}`,
      `X-Forwarded-Uri: ${uri}`,
      `X-Forwarded-Host: ${host}`,
      `X-Forwarded-Proto: ${proto}`,
      'X-Forwarded-For: 192.0.2.7',
    ];
    const head = [`GET ${new URL(address).pathname} HTTP/1.1`, `Host: ${new URL(address).host}`];
    return sendRaw(httpAddress.port, [...head, ...headers, ...own, 'Accept-Encoding: gzip']);
  }
  const lastRecord = (): Readonly<Record<string, unknown>> => agent.lines.at(-1) ?? {};

  it('names the same headers to Traefik and to Postern', () => {
    assert.deepEqual(authResponseHeaders.map((name) => name.toLowerCase()).sort(), CARRIED.split(',').sort());
  });

  it('answers what Traefik puts into the request, and nothing under the names that it has to lose', async () => {
    const { status, headers, body } = await ask({ headers: [KEY, 'X-Caller: admin', 'X-Method-Override: DELETE'] });
    assert.deepEqual([status, body, headers['x-caller']], [200, '', 'acme']);
    for (const name of authResponseHeaders.map((each) => each.toLowerCase()).filter((each) => each !== 'x-caller'))
      assert.equal(headers[name], undefined, name);
  });

  it('answers refusals whole, each with its own status', async () => {
    const missing = await ask({});
    assert.deepEqual([missing.status, JSON.parse(missing.body).status], [401, 401]);
    assert.ok(missing.headers['www-authenticate']);
    assert.equal((await ask({ uri: '/a%2fb' })).status, 400);
    assert.equal((await ask({ host: 'nobody.example.org' })).status, 404);
    assert.equal((await ask({ method: 'DELETE', headers: [KEY] })).status, 403);
    assert.equal(lastRecord()['client.address'], '192.0.2.7');
  });

  it('reads nothing of nginx and of Envoy', async () => {
    const lies = [
      'X-Original-URI: /healthz',
      'X-Original-Method: GET',
      'X-Original-Host: nobody',
      'X-Real-IP: 8.8.8.8',
    ];
    assert.equal((await ask({ uri: '/v1/orders/7', headers: lies })).status, 401);
    assert.equal((await ask({ uri: '/healthz', headers: lies })).status, 200);
  });

  it('refuses what a client could have added to', async () => {
    assert.equal((await ask({ uri: '/v1/orders/7', headers: ['X-Forwarded-Uri: /healthz'] })).status, 400);
    assert.match(String(lastRecord().cause), /^x-forwarded-uri came 2 times: .*trustForwardHeader/);
  });

  it('answers a gRPC caller with a status of HTTP, for 200 would let it in', async () => {
    const { status, headers } = await ask({ method: 'POST', headers: ['Content-Type: application/grpc'] });
    assert.deepEqual([status, headers['content-type']], [401, 'application/problem+json']);
  });

  it('counts its decisions as those of gRPC', async () => {
    const { adminAddress } = agent;
    assert.ok(adminAddress.kind === 'tcp');
    const metrics = await fetch(`http://127.0.0.1:${adminAddress.port}/metrics`).then((answer) => answer.text());
    assert.match(metrics, /^postern_decisions_total\{policy="default\/orders",.*reason="credential_missing"\} [1-9]/m);
  });
});
