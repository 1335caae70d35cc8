// What a real Envoy sends for requests of many kinds: its messages, and the bytes of its connections.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { portOf, startDoor } from '../../door/door-client.ts';
import { FRAME_TYPES, PREFACE } from '../../door/h2-client.ts';
import { type Front, send, sendRaw, startEnvoyInFront } from '../../envoy/harness.ts';

export interface Recorded {
  /** CheckRequests. */
  readonly messages: readonly Buffer[];
  /** All that Envoy sent on each connection, before it said that it was about to go. */
  readonly connections: readonly Buffer[];
}

/** `status` with code 0: what lets a request pass. */
const ALLOWED = Buffer.of(0x0a, 0x00);

/** Asks an Envoy of each configuration for the same requests. @throws {Error} where no Envoy can be had */
export async function recordTraffic(): Promise<Recorded> {
  const messages: Buffer[] = [];
  const connections: Buffer[] = [];
  const check = (bytes: Uint8Array): Buffer => {
    messages.push(Buffer.from(bytes));
    return ALLOWED;
  };
  const door = await startDoor({ check }, 'native');
  const recorder = await startRecorder(portOf(door), connections);
  for (const options of [
    {},
    { rawHeaders: true },
    { withBody: { maxBytes: 8192, allowPartial: true } },
    { rawHeaders: true, paths: 'off', withBody: { maxBytes: 256, allowPartial: true, asBytes: true } },
    { contextExtensions: { 'postern.dev/policy': 'default/api', tier: 'gold' }, paths: 'off' },
    {
      metadata: { 'envoy.filters.http.jwt_authn': { sub: 'user-1', groups: ['a', 'b'] } },
      metadataNamespaces: ['envoy.filters.http.jwt_authn'],
    },
  ] as const) {
    const front = await startEnvoyInFront({ ...options, extAuthzPort: recorder.port, timeoutMs: 10_000 });
    await askAll(front);
    await front.stop();
  }
  await recorder.stop();
  await door.drain(1000);
  return { messages, connections: connections.map(untilGoaway) };
}

function untilGoaway(bytes: Buffer): Buffer {
  for (let at = PREFACE.length; at + 9 <= bytes.length; at += 9 + bytes.readUIntBE(at, 3))
    if (bytes[at + 3] === FRAME_TYPES.GOAWAY) return bytes.subarray(0, at);
  return bytes;
}

/** Requests that differ in all that a check tells of them. */
async function askAll({ port }: Front): Promise<void> {
  for (const path of PATHS) await send(port, path);
  for (const headers of HEADERS) await send(port, '/v1/orders/42?expand=lines', headers);
  for (const host of HOSTS) await send(port, '/v1/users/7/', [`Host: ${host}`, 'x-api-key: a-key-of-acme-0123456789']);
  for (const method of ['HEAD', 'DELETE', 'OPTIONS', 'PURGE', 'get'])
    await sendRaw(port, [`${method} /v1/orders HTTP/1.1`, 'Host: api.example.org']);
  for (const [type, body] of BODIES) {
    const head = [`Content-Type: ${type}`, `Content-Length: ${Buffer.byteLength(body)}`];
    await sendRaw(port, ['POST /v1/orders HTTP/1.1', 'Host: api.example.org', ...head], body);
  }
}

const PATHS = [
  '/',
  '/v1/orders',
  '/v1/orders/42?expand=lines&page=2',
  '/a//b/../c/./d',
  '/%2e%2e/admin',
  '/v1/orders%2f42',
  '/v1;a=b/orders',
  '/ADMIN',
  '/caf%C3%A9?q=%F0%9F%90%9F',
  '/?a=1&a=2;b=3&=&%00',
  `/long/${'x'.repeat(2000)}`,
];
const HEADERS = [
  ['x-api-key: a-key-of-acme-0123456789'],
  ['Authorization: Bearer eyJhbGciOiJub25lIn0.eyJzdWIiOiJhIn0.'],
  ['Authorization: Bearer a', 'Authorization: Bearer b'],
  ['Cookie: session=1; session=2', 'Cookie: other=3'],
  ['X-Role: user', 'X-Role: admin'],
  ['X-Forwarded-For: 203.0.113.9, 10.0.0.1', 'X-Forwarded-Proto: https'],
  ['X-HTTP-Method-Override: DELETE', 'X-Original-URL: /admin'],
  ['Accept: */*', 'Accept-Language: de, en;q=0.5', 'User-Agent: recorded/1.0'],
  ['X-Latin: caf\u00e9', 'X-Empty:', 'X-Tab: a\tb'],
  [`X-Long: ${'y'.repeat(4000)}`],
];
const HOSTS = ['api.example.org:8080', 'API.example.org.', 'other.example.org', 'a.b.example.org', '[2001:db8::1]'];
const BODIES = [
  ['application/json', '{"card": "4111", "items": [1, 2, 3]}'],
  ['application/json', '{"a": 1, "a": 2}'],
  ['application/x-www-form-urlencoded', "name=x' OR 1=1--"],
  ['application/octet-stream', 'z'.repeat(10_000)],
  ['text/plain', ''],
] as const;

interface Recorder {
  readonly port: number;
  stop(): Promise<void>;
}

/** Passes connections on, and keeps what the side that opened them sends. */
async function startRecorder(doorPort: number, into: Buffer[]): Promise<Recorder> {
  const server = createServer({ noDelay: true }, (socket) => {
    const index = into.push(Buffer.alloc(0)) - 1;
    const door = connect({ port: doorPort, host: '127.0.0.1', noDelay: true });
    for (const side of [socket, door]) {
      side.on('error', () => undefined);
      side.on('close', () => {
        socket.destroy();
        door.destroy();
      });
    }
    socket.on('data', (chunk: Buffer) => {
      into[index] = Buffer.concat([into[index] ?? Buffer.alloc(0), chunk]);
    });
    socket.pipe(door);
    door.pipe(socket);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    async stop() {
      server.close();
      await once(server, 'close');
    },
  };
}
