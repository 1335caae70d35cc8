import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { Agent, request as httpRequest } from 'node:http';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../internal/core/clock.ts';
import type { Dialect } from '../../internal/extauthz/http/dialect.ts';
import { ENVOY } from '../../internal/extauthz/http/envoy-dialect.ts';
import type { CheckHttp } from '../../internal/extauthz/http/http-check.ts';
import type { HttpDoor, HttpDoorOptions } from '../../internal/extauthz/http/http-door.ts';
import type { HttpMessage } from '../../internal/extauthz/http/http-message.ts';
import { NGINX } from '../../internal/extauthz/http/nginx-dialect.ts';
import { TRAEFIK } from '../../internal/extauthz/http/traefik-dialect.ts';
import { type HttpAnswer, plainRefusal } from '../../internal/extauthz/http/write-answer.ts';
import type { TlsOptions } from '../../internal/extauthz/tls-termination.ts';
import { until } from '../components/until.ts';
import { rawRequest, send, sendRaw } from '../envoy/harness-http1.ts';
import { issue } from './certificates.ts';
import { httpPort, networks, startBareDoor } from './http-door-client.ts';

const ALLOW: HttpAnswer = { status: 200, headers: [['x-a', '1']], body: '' };
const folder = mkdtempSync(join(tmpdir(), 'postern-http-door-'));
const open: HttpDoor[] = [];

after(async () => {
  await Promise.all(open.map((door) => door.drain(0)));
  rmSync(folder, { recursive: true, force: true });
});

interface Served {
  readonly door: HttpDoor;
  readonly port: number;
  /** What became a check, by dialect. */
  readonly asked: (readonly [string, HttpMessage])[];
}

/** A door that allows whatever becomes a check at all. */
async function serve(options: Partial<HttpDoorOptions> = {}, answer: CheckHttp = () => ALLOW): Promise<Served> {
  const asked: (readonly [string, HttpMessage])[] = [];
  const check =
    (dialect: Dialect): CheckHttp =>
    (message, call) => {
      asked.push([dialect.path, message]);
      return answer(message, call);
    };
  const checks = new Map([ENVOY, NGINX, TRAEFIK].map((dialect) => [dialect, check(dialect)]));
  const door = await startBareDoor({ checks, ...options });
  open.push(door);
  return { door, port: door.address.kind === 'tcp' ? httpPort(door) : 0, asked };
}

const lineOf = (port: number, target: string): Promise<number> => send(port, target).then(({ status }) => status);

describe('the HTTP door', () => {
  it('chooses the dialect by the path, exactly', async () => {
    const { port, asked } = await serve();
    for (const target of ['/check/nginx', '/check/traefik', '/check/envoy/a?b', '/check/envoy'])
      assert.equal(await lineOf(port, target), 200);
    assert.deepEqual(
      asked.map(([path]) => path),
      ['/check/nginx', '/check/traefik', '/check/envoy', '/check/envoy'],
    );
    const others = [
      '/',
      '/check',
      '/check/',
      '/check/nginx/',
      '/check/nginx?x',
      '/check/%6eginx',
      '/CHECK/nginx',
      '/x/../check/nginx',
      '//check/nginx',
      'http://a/check/nginx',
      '*',
    ];
    for (const target of others)
      assert.equal((await send(port, target, [], target === '*' ? 'OPTIONS' : 'GET')).status, 404, target);
    assert.equal(asked.length, 4);
  });

  it('names the paths that there are, and tells the operator of one that is wrong once, without what a client wrote', async () => {
    const clock = { ...systemClock, nowMs: 0, monotonicMs: (): number => clock.nowMs };
    const told: unknown[] = [];
    const { port } = await serve({ clock, onUnknownPath: (...all) => void told.push(all) });
    const asked = [
      '/check/apache',
      '/check/apache',
      '/check/envy/reset?token=secret',
      `/check/${'x'.repeat(4000)}`,
      '/check/nginx?token=secret',
      '/check/nginx/',
    ];
    for (const target of asked) {
      clock.nowMs += 1000;
      const { status, body } = await send(port, target);
      assert.deepEqual(
        [status, JSON.parse(body)],
        [
          404,
          {
            type: 'about:blank',
            title: 'No dialect has this path',
            status: 404,
            detail: 'Ask under /check/envoy/…, /check/nginx or /check/traefik',
          },
        ],
      );
    }
    for (let i = 0; i < 300; i += 1) await send(port, `/flood/${i}`);
    clock.nowMs += 600_000;
    await send(port, '/check/apache');
    assert.deepEqual(told, [
      ['/check/apache', '127.0.0.1', 0],
      ['/check/envy/…', '127.0.0.1', 1],
      [`/check/${'x'.repeat(57)}…`, '127.0.0.1', 0],
      ['/check/nginx?…', '127.0.0.1', 0],
      ['/check/nginx/…', '127.0.0.1', 0],
      ['/check/apache', '127.0.0.1', 300],
    ]);
  });

  it('asks nothing for a peer that is not trusted, whatever headers say, and tells of it once', async () => {
    const told: string[] = [];
    const { port, asked } = await serve({
      trustedPeers: networks(['10.0.0.0', 8, 'ipv4']),
      onRefusedPeer: (address) => void told.push(address),
    });
    const lies = ['X-Forwarded-For: 10.0.0.1', 'X-Real-IP: 10.0.0.1', 'Forwarded: for=10.0.0.1'];
    assert.equal((await send(port, '/check/envoy/', lies)).status, 403);
    for (let i = 0; i < 3; i += 1) {
      const socket = connect(port, '127.0.0.1');
      socket.write(`GET /check/envoy/ HTTP/1.1\r\n${lies.join('\r\n')}\r\n\r\n`);
      assert.equal(await allOf(socket), '');
    }
    assert.deepEqual([asked.length, told], [0, ['127.0.0.1']]);
  });

  it('tells strangers why at most once a second, so that a flood of them costs no more than its connections', async () => {
    const clock = { ...systemClock, nowMs: 0, monotonicMs: (): number => clock.nowMs };
    const { port } = await serve({ clock, trustedPeers: networks() });
    const told = async (): Promise<string> => (await allOf(connect(port, '127.0.0.1'))).slice(0, 12);
    const first = [await told(), await told()];
    clock.nowMs = 1000;
    assert.deepEqual([...first, await told(), await told()], ['HTTP/1.1 403', '', 'HTTP/1.1 403', '']);
  });

  it('keeps the idle connection of a proxy, and no byte of a stranger, when strangers open more than there may be', async () => {
    const { port, asked } = await serve({ mostConnections: 4, trustedPeers: networks(['127.0.0.1', 32, 'ipv4']) });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<number | undefined> => {
      const request = httpRequest({ agent, port, host: '127.0.0.1', path: '/check/nginx' }).end();
      const [response] = await once(request, 'response');
      await once(response.resume(), 'end');
      return request.socket?.localPort;
    };
    const before = await ask();
    for (let i = 0; i < 12; i += 1) {
      const stranger = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' });
      stranger.write('GET /check/nginx HTTP/1.1\r\nx-unfinished: ');
      assert.match(await allOf(stranger), i === 0 ? /^(HTTP\/1.1 403 |$)/ : /^$/);
    }
    assert.equal(await ask(), before);
    assert.equal(asked.length, 2);
    agent.destroy();
  });

  it('takes a v4-mapped peer for the IPv4 address that it is', async (t) => {
    const served = await serve({ address: { kind: 'tcp', host: '::', port: 0 } }).catch(() => undefined);
    if (served === undefined) return t.skip('this machine has no IPv6');
    assert.equal(await lineOf(served.port, '/check/nginx'), 200);
  });

  it('trusts a unix socket, which its group may open', async () => {
    const path = join(folder, 'http.sock');
    const { asked, door } = await serve({ address: { kind: 'unix', path }, trustedPeers: networks() });
    assert.equal(statSync(path).mode & 0o777, 0o660);
    const request = httpRequest({ socketPath: path, path: '/check/nginx' }).end();
    const [response] = await once(request, 'response');
    assert.deepEqual([response.statusCode, asked.length], [200, 1]);
    response.resume();
    await door.drain(1000);
    assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
  });

  it('leaves the socket file to the process that listens there in its stead', async () => {
    const path = join(folder, 'others.sock');
    writeFileSync(path, '');
    const listen: HttpDoorOptions['listen'] = (_server, { address }) => Promise.resolve(address);
    const { door } = await serve({ address: { kind: 'unix', path }, listen });
    await door.drain(0);
    assert.ok(statSync(path, { throwIfNoEntry: false }));
  });

  it('tells of every header line, and of bytes as gRPC does', async () => {
    const { port, asked } = await serve();
    await send(port, '/check/nginx', [
      'X-A: 1',
      'x-a:  2 ',
      'X-B: \u00c3\u00a4\u00ff',
      ...Array.from({ length: 300 }, (_, i) => `x-${i}: ${i}`),
    ]);
    const [, message] = asked[0] ?? assert.fail();
    assert.equal(message.lines.filter(([name]) => name === 'x-a').length, 2);
    assert.deepEqual(
      message.lines.find(([name]) => name === 'x-b'),
      ['x-b', 'ä\udcff'],
    );
    assert.deepEqual(
      message.lines.find(([name]) => name === 'x-299'),
      ['x-299', '299'],
    );
  });

  it('refuses more header lines than it looks at, instead of looking at some', async () => {
    const { port, asked } = await serve();
    const many = Array.from({ length: 1001 }, (_, i) => `a${i}: 1`);
    assert.equal((await send(port, '/check/nginx', many)).status, 431);
    assert.equal((await send(port, '/check/nginx', [`x-long: ${'a'.repeat(100 * 1024)}`])).status, 431);
    assert.equal(asked.length, 0);
  });

  it('answers what is no request with a refusal, and ends the connection', async () => {
    const { port, asked } = await serve();
    for (const [what, bytes, status] of [
      ['the PROXY protocol', 'PROXY TCP4 10.0.0.1 10.0.0.2 1 2\r\nGET /check/nginx HTTP/1.1\r\n\r\n', 400],
      ['HTTP/2', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 400],
      ['a method nobody knows', 'FROB /check/envoy/ HTTP/1.1\r\nhost: a\r\n\r\n', 400],
      ['CONNECT', 'CONNECT a:443 HTTP/1.1\r\nhost: a\r\n\r\n', 405],
      ['two lengths', 'POST /check/envoy/ HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab', 400],
      [
        'a length and chunks',
        'POST /check/envoy/ HTTP/1.1\r\ncontent-length: 3\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n',
        400,
      ],
      ['a bare line feed', 'GET /check/envoy/ HTTP/1.1\nhost: a\n\n', 400],
      ['a folded line', 'GET /check/envoy/ HTTP/1.1\r\nx-a: 1\r\n b\r\n\r\n', 400],
    ] as const)
      assert.equal((await rawRequest(port, bytes)).status, status, what);
    assert.equal(asked.length, 0);
  });

  it('answers without a Host, and whatever is expected', async () => {
    const { port } = await serve();
    assert.equal((await sendRaw(port, ['GET /check/nginx HTTP/1.1'])).status, 200);
    assert.equal((await send(port, '/check/nginx', ['Expect: something'])).status, 200);
    assert.equal((await send(port, '/check/nginx', ['Upgrade: websocket', 'Connection: upgrade'])).status, 200);
  });

  it('reads a body in full for Envoy, none for the others, and none that is too large', async () => {
    const { port, asked } = await serve({ maxReceiveBytes: 8 });
    const post = (path: string, body: string) =>
      sendRaw(port, [`POST ${path} HTTP/1.1`, 'host: a', `content-length: ${body.length}`], body);
    assert.equal((await post('/check/envoy/', '12345678')).status, 200);
    assert.equal((await post('/check/envoy/', '123456789')).status, 413);
    const chunked = await sendRaw(
      port,
      ['POST /check/envoy/ HTTP/1.1', 'transfer-encoding: chunked'],
      '2\r\nab\r\n1\r\nc\r\n0\r\n\r\n',
    );
    assert.equal(chunked.status, 200);
    assert.equal((await post('/check/nginx', '123456789')).status, 200);
    const bodies = asked.map(([, { body }]) => body && Buffer.from(body).toString());
    assert.deepEqual(bodies, ['12345678', 'abc', undefined]);
  });

  it('waits for no body of nginx that stays behind, and takes nothing of it for a request', async () => {
    const { port, asked } = await serve();
    const { status, headers } = await rawRequest(port, 'GET /check/nginx HTTP/1.1\r\ncontent-length: 5\r\n\r\n');
    assert.deepEqual([status, headers.connection], [200, 'close']);
    await rawRequest(
      port,
      'GET /check/nginx HTTP/1.1\r\ncontent-length: 50\r\n\r\nGET /check/traefik HTTP/1.1\r\n\r\n',
    );
    assert.deepEqual(
      asked.map(([path]) => path),
      ['/check/nginx', '/check/nginx'],
    );
  });

  it('cuts off heads and bodies that do not come', async () => {
    const { port } = await serve({ patience: { headMs: 100, messageMs: 200, everyMs: 20 } });
    for (const bytes of [
      'GET /check/nginx HTT',
      'GET /check/nginx HTTP/1.1\r\nx-a: 1\r\n',
      'POST /check/envoy/ HTTP/1.1\r\nhost: a\r\ncontent-length: 9\r\n\r\nab',
    ])
      assert.equal((await rawRequest(port, bytes)).status, 408, bytes);
  });

  it('answers pipelined requests in their order', async () => {
    let asked = 0;
    const { port } = await serve({}, async () => {
      asked += 1;
      const mine = asked;
      if (mine === 1) await until(() => asked === 2).catch(() => undefined);
      return { ...ALLOW, headers: [['x-nth', String(mine)]] };
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /check/nginx HTTP/1.1\r\n\r\nGET /check/nginx HTTP/1.1\r\nconnection: close\r\n\r\n');
    assert.deepEqual(
      [...(await allOf(socket)).matchAll(/x-nth: (\d)/g)].map(([, nth]) => nth),
      ['1', '2'],
    );
  });

  it('says in an answer that it is the last of a connection that is old', async () => {
    const clock = { ...systemClock, nowMs: 0, monotonicMs: (): number => clock.nowMs };
    const { port } = await serve({ clock, maxConnectionAgeMs: 1000 });
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ask = async (): Promise<string | undefined> => {
      const [response] = await once(httpRequest({ agent, port, path: '/check/nginx' }).end(), 'response');
      await once(response.resume(), 'end');
      return response.headers.connection;
    };
    const first = await ask();
    clock.nowMs = 1001;
    assert.deepEqual([first, await ask(), await ask()], ['keep-alive', 'close', 'keep-alive']);
    agent.destroy();
  });

  it('answers while it drains, each answer the last of its connection, and cuts off what is left', async () => {
    const waiting = Promise.withResolvers<HttpAnswer>();
    let asked = 0;
    const { port, door } = await serve({}, () => {
      asked += 1;
      return waiting.promise;
    });
    const sockets = [connect(port, '127.0.0.1'), connect(port, '127.0.0.1'), connect(port, '127.0.0.1')];
    const [busy, late, idle] = sockets as [Socket, Socket, Socket];
    await Promise.all(sockets.map((socket) => once(socket, 'connect')));
    busy.write('GET /check/nginx HTTP/1.1\r\n\r\n');
    await until(() => asked === 1);
    const drained = door.drain(3000);
    await assert.rejects(once(connect(port, '127.0.0.1'), 'connect'));
    late.write('GET /check/nginx HTTP/1.1\r\n\r\n');
    await until(() => asked === 2);
    waiting.resolve(ALLOW);
    for (const socket of [busy, late])
      assert.match(await allOf(socket), /^HTTP\/1\.1 200 OK\r\n.*connection: close\r\n/is);
    assert.equal(await allOf(idle), '');
    await drained;
  });

  it('cuts off a check that hangs when its time to drain is over', async () => {
    let asked = 0;
    const { port, door } = await serve({}, () => {
      asked += 1;
      return new Promise(() => undefined);
    });
    const socket = connect(port, '127.0.0.1');
    socket.write('GET /check/nginx HTTP/1.1\r\n\r\n');
    await until(() => asked === 1);
    await door.drain(50);
    assert.equal(await allOf(socket), '');
  });

  it('speaks TLS where the agent does, and asks nothing for who shows no certificate', async () => {
    const authority = issue({ name: 'authority', isCa: true });
    const [own, client] = [issue({ name: 'door', issuer: authority }), issue({ name: 'nginx', issuer: authority })];
    const files = {
      certFile: join(folder, 'tls.crt'),
      keyFile: join(folder, 'tls.key'),
      clientCaFile: join(folder, 'ca'),
    };
    writeFileSync(files.certFile, own.certificate);
    writeFileSync(files.keyFile, own.privateKey);
    writeFileSync(files.clientCaFile, authority.certificate);
    const { port, asked } = await serve({
      tls: {
        files,
        reloadEveryMs: 1000,
        clock: systemClock,
        onCertificate: () => undefined,
        onError: () => assert.fail(),
      },
    });
    const ask = async (shown: object): Promise<number> => {
      const request = httpsRequest({
        host: 'localhost',
        port,
        path: '/check/nginx',
        ca: authority.certificate,
        agent: false,
        ...shown,
      });
      const [response] = await once(request.end(), 'response');
      response.resume();
      return response.statusCode;
    };
    assert.equal(await ask({ cert: client.certificate, key: client.privateKey }), 200);
    await assert.rejects(ask({}));
    await assert.rejects(
      rawRequest(port, 'GET /check/nginx HTTP/1.1\r\n\r\n').then(({ status }) => assert.equal(status, 200)),
    );
    assert.equal(asked.length, 1);
  });

  it('makes no handshake with a stranger', async () => {
    const { port } = await serve({ tls: aTls(), trustedPeers: networks(['127.0.0.1', 32, 'ipv4']) });
    for (let i = 0; i < 3; i += 1)
      assert.equal(await allOf(connect({ port, host: '127.0.0.1', localAddress: '127.0.0.9' })), '');
    assert.equal(await askByTls(port), 200);
  });

  it('lets handshakes that stand still take no place from a proxy: the oldest of too many goes', async () => {
    const { port } = await serve({ tls: aTls(), mostConnections: 4 });
    const agent = new TlsAgent({ keepAlive: true, maxSockets: 1, rejectUnauthorized: false });
    assert.equal(await askByTls(port, agent), 200);
    const still: Socket[] = [];
    for (let i = 0; i < 4; i += 1) {
      const socket = connect(port, '127.0.0.1');
      await once(socket, 'connect');
      still.push(socket);
    }
    const [oldest, second] = still as [Socket, Socket];
    const gone = allOf(oldest);
    assert.equal(await askByTls(port), 200);
    assert.equal(await gone, '');
    assert.equal(second.readyState, 'open');
    assert.equal(await askByTls(port, agent), 200);
    for (const socket of still) socket.destroy();
    agent.destroy();
  });

  it('refuses what fails in a way that nobody foresaw, with no 5xx that Envoy would let pass', async () => {
    const told: unknown[] = [];
    const failures: readonly CheckHttp[] = [
      () => assert.fail('thrown'),
      () => Promise.reject(new Error('rejected')),
      () => ({ ...ALLOW, headers: [['x-a', 'no\u0100header']] }),
      () => ({ ...ALLOW, headers: [['', 'no name']] }),
    ];
    for (const failure of failures) {
      const { port } = await serve({ onError: (error) => void told.push(error) }, failure);
      for (const [target, expected] of [
        ['/check/envoy/', 403],
        ['/check/nginx', 403],
        ['/check/traefik', 500],
      ] as const) {
        const { status, headers } = await send(port, target);
        assert.deepEqual([status, headers['x-postern-status'], headers['x-a']], [expected, '500', undefined], target);
      }
    }
    assert.equal(told.length, 12);
  });

  it('gives no body in an answer to HEAD', async () => {
    const { port } = await serve({}, () => plainRefusal(403, 'no'));
    const { status, headers, body } = await sendRaw(port, ['HEAD /check/envoy/ HTTP/1.1', 'host: a']).catch(() =>
      assert.fail(),
    );
    assert.deepEqual([status, body], [403, '']);
    assert.ok(Number(headers['content-length']) > 0);
  });
});

/** A certificate of its own, for clients of any kind. */
function aTls(): TlsOptions {
  const { certificate, privateKey } = issue({ name: 'localhost' });
  const files = { certFile: join(folder, 'own.crt'), keyFile: join(folder, 'own.key'), clientCaFile: undefined };
  writeFileSync(files.certFile, certificate);
  writeFileSync(files.keyFile, privateKey);
  return {
    files,
    reloadEveryMs: 1000,
    clock: systemClock,
    onCertificate: () => undefined,
    onError: () => assert.fail(),
  };
}

async function askByTls(port: number, agent: TlsAgent | false = false): Promise<number | undefined> {
  const request = httpsRequest({ host: '127.0.0.1', port, path: '/check/nginx', agent, rejectUnauthorized: false });
  const [response] = await once(request.end(), 'response');
  await once(response.resume(), 'end');
  return response.statusCode;
}

/** All that comes until the connection ends. */
async function allOf(socket: Socket): Promise<string> {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  socket.on('error', () => undefined);
  if (!socket.closed) await once(socket, 'close');
  return text;
}
