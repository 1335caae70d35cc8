import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { after, describe, it } from 'node:test';
import { limitConnections } from '../listen/connection-limit.ts';
import { type Answer, type RunningHttpServer, startHttpServer } from './http-server.ts';

const MOST = 128;
const running: RunningHttpServer[] = [];
const sockets: Socket[] = [];

after(async () => {
  for (const socket of sockets) socket.destroy();
  await Promise.all(running.map((server) => server.close()));
});

async function serve(onSlow: () => void = () => undefined): Promise<number> {
  const server = await startHttpServer({
    address: { kind: 'tcp', host: '127.0.0.1', port: 0 },
    flag: 'admin-addr',
    routes: new Map<string, () => Answer | Promise<Answer>>([
      ['/livez', () => ({ status: 200, contentType: 'text/plain', body: 'ok' })],
      [
        '/slow',
        () => {
          onSlow();
          return new Promise(() => {});
        },
      ],
    ]),
    onError: () => undefined,
  });
  running.push(server);
  assert.ok(server.address.kind === 'tcp');
  return server.address.port;
}

/** A connection that is open, and says `text`. */
async function open(port: number, text = ''): Promise<Socket> {
  const socket = connect(port, '127.0.0.1').on('error', () => undefined);
  sockets.push(socket);
  await once(socket, 'connect');
  socket.write(text);
  return socket.resume();
}

async function openMany(port: number, count: number, text = ''): Promise<Socket[]> {
  const opened: Socket[] = [];
  for (let i = 0; i < count; i += 1) opened.push(await open(port, text));
  return opened;
}

/** Status of a page, or that the connection ended without one. */
async function ask(port: number): Promise<string> {
  const socket = connect(port, '127.0.0.1');
  let answer = '';
  socket.setEncoding('utf8').on('data', (piece: string) => {
    answer += piece;
  });
  socket.on('error', () => undefined);
  socket.write('GET /livez HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
  await once(socket, 'close');
  return answer.slice(0, 12) || 'closed';
}

const SLOW = 'GET /slow HTTP/1.1\r\nHost: x\r\n\r\n';

describe('limitConnections()', () => {
  it('answers a probe while as many connections as there may be say nothing: the oldest goes', async () => {
    const port = await serve();
    const [oldest, second] = await openMany(port, MOST);
    assert.ok(oldest !== undefined && second !== undefined);
    const gone = once(oldest, 'close');
    assert.equal(await ask(port), 'HTTP/1.1 200');
    await gone;
    assert.equal(second.destroyed, false);
  });

  it('drops one that is half-way through its headers, which keep it no place', async () => {
    const port = await serve();
    const opened = await openMany(port, MOST, 'GET /livez HTTP/1.1\r\nX-Slow: ');
    assert.equal(await ask(port), 'HTTP/1.1 200');
    assert.equal(opened.length, MOST);
  });

  it('drops none that is being answered', async () => {
    const { promise: isAsked, resolve } = Promise.withResolvers<void>();
    const port = await serve(resolve);
    const busy = await open(port, SLOW);
    await isAsked;
    await openMany(port, MOST);
    assert.equal(await ask(port), 'HTTP/1.1 200');
    assert.equal(busy.destroyed, false);
  });

  it('turns a new one away where all are being answered', async () => {
    const { promise: areAllAsked, resolve } = Promise.withResolvers<void>();
    let asked = 0;
    const port = await serve(() => {
      asked += 1;
      if (asked === MOST) resolve();
    });
    await openMany(port, MOST, SLOW);
    await areAllAsked;
    assert.equal(await ask(port), 'closed');
  });

  it('ends a connection soon that never says anything', async () => {
    const server = createServer();
    limitConnections(server, { most: MOST, firstByteMs: 50, idleMs: 60_000 });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const address = server.address();
    assert.ok(typeof address === 'object' && address !== null);
    const socket = await open(address.port);
    await once(socket, 'close');
    server.close();
  });
});
