import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { skipWithout } from '../components/cache.ts';
import {
  envoyBinary,
  type Front,
  type Http2Client,
  openHttp2,
  rawRequest,
  sendRaw,
  startFront,
  startTestAgent,
  type TestAgent,
} from './harness.ts';

const MAX_BYTES = 2048;
const POLICIES = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: carts}
spec:
  target: {hosts: [api.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  validation:
    bodyless: [GET]
    limits: {url: 64, headers: 1Ki, parameters: 3, body: 1Ki, jsonDepth: 3}
    fields:
      - {name: limit, query: {name: limit}, type: Integer, maximum: 100}
      - {name: tenant, header: {name: x-tenant}, pattern: "[a-z]+"}
      - {name: quantity, methods: [POST], paths: [/carts], body: {pointer: /quantity}, type: Integer, minimum: 1, required: true}
`.replace('url: 64', 'url: "64"');
const HOST = 'Host: api.example.org';
const JSON_TYPE = 'Content-Type: application/json';

const found = await envoyBinary();
const path = 'path' in found ? found.path : '';

interface World {
  readonly agent: TestAgent;
  readonly front: Front;
  readonly client: Http2Client;
  stop(): Promise<void>;
}

async function startWorld(
  flags: Readonly<Record<string, string>>,
  withBody?: { asBytes: boolean },
  policies = POLICIES,
): Promise<World> {
  const agent = await startTestAgent(policies, flags);
  await agent.ready;
  const bodies = withBody && { withBody: { maxBytes: MAX_BYTES, allowPartial: true, ...withBody } };
  const front = await startFront(path, agent.grpcAddress, bodies ?? {});
  const client = await openHttp2(front.port);
  const stop = async (): Promise<void> => {
    await client.close();
    await front.stop();
    await agent.stop();
  };
  return { agent, front, client, stop };
}

describe('validation behind an Envoy that forwards bodies', { skip: skipWithout(found) }, () => {
  let world: World;
  before(async () => {
    world = await startWorld({ bodies: 'forwarded' }, { asBytes: true });
  });
  after(() => world?.stop());

  const post = async (body: string | Uint8Array, headers: Readonly<Record<string, string>> = {}) => {
    const reached = world.front.upstream.count();
    const sent = { ':method': 'POST', ':path': '/carts', 'content-type': 'application/json', ...headers };
    const answer = await world.client.request(sent, body);
    assert.equal(
      world.front.upstream.count() - reached,
      answer.status === 200 ? 1 : 0,
      'only what is allowed gets there',
    );
    return answer;
  };
  const statusOf = async (...sent: Parameters<typeof post>): Promise<number> => (await post(...sent)).status;

  it('lets a good request through, body and all', async () => {
    const answer = await post('{"quantity": 2, "note": "äöü!"}');
    assert.deepEqual([answer.status, JSON.parse(answer.body).body], [200, '{"quantity": 2, "note": "äöü!"}']);
  });

  it('names places and rules, and echoes nothing that was sent', async () => {
    const { status, headers, body } = await post('{"quantity": -31337, "secret": "hunter2"}');
    assert.equal(status, 422);
    assert.equal(headers['content-type'], 'application/problem+json');
    const { type, title, detail, errors } = JSON.parse(body);
    assert.deepEqual(
      { type, title, detail, errors },
      {
        type: 'urn:postern:reason:invalid_body',
        title: 'The body is not valid',
        detail: 'Not valid: /body/quantity (minimum)',
        errors: [{ pointer: '/body/quantity', rule: 'minimum' }],
      },
    );
    assert.doesNotMatch(body, /31337|hunter2|secret/);
  });

  it('judges a body that comes in chunks or without a length', async () => {
    const chunk = '{"quantity":';
    const chunked = await sendRaw(
      world.front.port,
      ['POST /carts HTTP/1.1', HOST, JSON_TYPE, 'Transfer-Encoding: chunked'],
      `${chunk.length.toString(16)}\r\n${chunk}\r\n2\r\n0}\r\n0\r\n\r\n`,
    );
    assert.equal(chunked.status, 422);
    assert.equal(await statusOf('{"quantity":0}'), 422);
  });

  it('judges the body of a method that usually has none', async () => {
    const answer = await world.client.request(
      { ':method': 'GET', ':path': '/carts', 'content-type': 'application/json' },
      '[[[[1]]]]',
    );
    assert.equal(answer.status, 400);
  });

  it('hides nothing behind the end of what Envoy forwards', async () => {
    const padded = `{"a":"${'x'.repeat(MAX_BYTES)}","quantity":0}`;
    assert.equal(await statusOf(padded), 413);
    assert.equal(await statusOf(`${' '.repeat(MAX_BYTES)}{"quantity":0}`), 413);
  });

  it('reads JSON in one way, or not at all', async () => {
    const twice = '{"quantity":1,"quantity":0}';
    assert.equal(await statusOf(twice), 400);
    assert.equal(await statusOf(twice.replace('"q', '"\\u0071')), 400);
    assert.equal(await statusOf(Buffer.from('{"quantity":1,"a":"\xff"}', 'latin1')), 400);
    assert.equal(await statusOf(Buffer.from('{"quantity":1,"quan\xfftity":0}', 'latin1')), 400);
    assert.equal(await statusOf('\ufeff{"quantity":1}'), 400);
    assert.equal(await statusOf(Buffer.from('{"quantity":1}', 'utf16le')), 400);
    assert.equal(await statusOf('{"quantity":1e400}'), 400);
    assert.equal(await statusOf(`${'['.repeat(500)}${']'.repeat(500)}`), 400);
  });

  it('believes no type that the body is not of, nor two', async () => {
    const bad = '{"quantity":0}';
    assert.equal(await statusOf(bad, { 'content-type': 'text/plain' }), 415);
    assert.equal(await statusOf(Buffer.from(bad, 'utf16le'), { 'content-type': 'text/plain' }), 415);
    assert.equal(await statusOf(bad, { 'content-type': 'application/json; charset=utf-16' }), 415);
    assert.equal(await statusOf('quantity=0', { 'content-type': 'application/x-www-form-urlencoded' }), 415);
    const two = await sendRaw(
      world.front.port,
      ['POST /carts HTTP/1.1', HOST, JSON_TYPE, 'Content-Type: text/plain', `Content-Length: ${bad.length}`],
      bad,
    );
    assert.equal(two.status, 415);
  });

  it('inflates nothing that nobody asked it to', async () => {
    assert.equal(await statusOf(gzipSync('{"quantity":0}'), { 'content-encoding': 'gzip' }), 415);
  });

  it('inflates a body where a policy says how far, and judges what it finds', async () => {
    const policy = POLICIES.replace('jsonDepth: 3', 'jsonDepth: 3, inflated: 4Ki');
    const inflating = await startWorld({ bodies: 'forwarded' }, { asBytes: true }, policy);
    const send = async (text: string): Promise<number> => {
      const sent = {
        ':method': 'POST',
        ':path': '/carts',
        'content-type': 'application/json',
        'content-encoding': 'gzip',
      };
      return (await inflating.client.request(sent, gzipSync(text))).status;
    };
    try {
      assert.deepEqual(
        [
          await send('{"quantity":1}'),
          await send('{"quantity":0}'),
          await send(`{"quantity":1}${' '.repeat(100_000)}`),
        ],
        [200, 422, 413],
      );
    } finally {
      await inflating.stop();
    }
  });

  it('bounds the URL, headers and parameters', async () => {
    const get = async (target: string, headers: Readonly<Record<string, string>> = {}): Promise<number> =>
      (await world.client.request({ ':path': target, ...headers })).status;
    assert.deepEqual([await get('/?a&b&c'), await get('/?a&b&c&d'), await get(`/${'a'.repeat(64)}`)], [200, 400, 414]);
    assert.equal(await get('/', { cookie: 'a'.repeat(1024) }), 431);
    assert.deepEqual(
      [await get('/?limit=100'), await get('/?limit=101'), await get('/?limit=1&limit=2')],
      [200, 400, 400],
    );
  });

  it('takes a header of two lines for none that is good, joined by Envoy or not', async () => {
    const lines = ['GET / HTTP/1.1', HOST, 'X-Tenant: acme'];
    assert.equal((await sendRaw(world.front.port, lines)).status, 200);
    assert.equal((await sendRaw(world.front.port, [...lines, 'X-Tenant: beta'])).status, 400);
  });

  it('answers a gRPC caller by a status, with what is wrong', async () => {
    const sent = { ':method': 'POST', ':path': '/', 'content-type': 'application/grpc', 'x-tenant': 'A' };
    const { headers } = await world.client.request(sent, '');
    assert.deepEqual(
      [headers['grpc-status'], headers['grpc-message']],
      ['3', 'A parameter is not valid: Not valid: /header/x-tenant (pattern)'],
    );
  });
});

describe('validation behind an Envoy that forwards no bodies', { skip: skipWithout(found) }, () => {
  let world: World;
  before(async () => {
    world = await startWorld({});
  });
  after(() => world?.stop());

  it('takes no request for one without a body, but by a method that the policy says has none', async () => {
    const { client } = world;
    const status = async (method: string): Promise<number> =>
      (await client.request({ ':method': method, ':path': '/' })).status;
    assert.deepEqual([await status('GET'), await status('POST'), await status('DELETE')], [200, 403, 403]);
  });

  it('refuses a body whose length is told also by such a method; of one in chunks Envoy tells nothing', async () => {
    const { port } = world.front;
    const head = `GET / HTTP/1.1\r\n${HOST}\r\nConnection: close\r\n`;
    const statuses = [
      await rawRequest(port, `${head}Content-Length: 2\r\n\r\n{}`),
      await rawRequest(port, `${head}Transfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n\r\n`),
    ].map(({ status }) => status);
    assert.deepEqual(statuses, [403, 200]);
  });
});

describe('validation behind an Envoy that forwards bodies as text', { skip: skipWithout(found) }, () => {
  let world: World;
  before(async () => {
    world = await startWorld({ bodies: 'forwarded' }, { asBytes: false });
  });
  after(() => world?.stop());

  it('cannot see bytes that are no UTF-8: docs/validation.md says to send bytes', async () => {
    const body = Buffer.from('{"quantity":1,"a":"\xff"}', 'latin1');
    const sent = { ':method': 'POST', ':path': '/carts', 'content-type': 'application/json' };
    assert.equal((await world.client.request(sent, body)).status, 200);
  });
});
