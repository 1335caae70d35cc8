import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type IncomingHttpHeaders, type RequestOptions, request } from 'node:http';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { startAdminServer } from './admin-server.ts';
import { isLocalHost, startDebugServer } from './debug-server.ts';
import { type RunningHttpServer, startHttpServer } from './http-server.ts';

const LOOPBACK: ListenAddress = { kind: 'tcp', host: '127.0.0.1', port: 0 };
const folder = mkdtempSync(join(tmpdir(), 'admin-'));
const running: RunningHttpServer[] = [];

after(async () => {
  await Promise.all(running.map((server) => server.close()));
  rmSync(folder, { recursive: true });
});

async function kept(starting: Promise<RunningHttpServer>): Promise<RunningHttpServer> {
  const server = await starting;
  running.push(server);
  return server;
}

interface Reply {
  readonly status: number | undefined;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

function ask(server: RunningHttpServer, path: string, options: RequestOptions = {}): Promise<Reply> {
  const { address } = server;
  const to = address.kind === 'unix' ? { socketPath: address.path } : { host: '127.0.0.1', port: address.port };
  return new Promise((resolve, reject) => {
    const sent = request({ ...to, path, agent: false, ...options }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        body += piece;
      });
      response.on('end', () => resolve({ status: response.statusCode, headers: response.headers, body }));
    });
    sent
      .on('error', reject)
      .on('response', (response) => response.on('error', reject))
      .end();
  });
}

const nothing = (): void => {};
const admin = (notReady: () => string | undefined = () => undefined): Promise<RunningHttpServer> =>
  kept(
    startAdminServer({
      address: LOOPBACK,
      metrics: new Metrics({ version: '1', process: false }),
      clock: systemClock,
      notReady,
      onError: nothing,
    }),
  );

describe('startAdminServer()', () => {
  it('serves metrics in the form that is asked for', async () => {
    const server = await admin();
    const text = await ask(server, '/metrics');
    const open = await ask(server, '/metrics', { headers: { accept: 'application/openmetrics-text; version=1.0.0' } });
    assert.deepEqual(
      [text.status, text.headers['content-type'], open.headers['content-type']],
      [200, 'text/plain; version=0.0.4; charset=utf-8', 'application/openmetrics-text; version=1.0.0; charset=utf-8'],
    );
    assert.match(text.body, /^postern_checks_in_flight 0$/m);
    assert.ok(open.body.endsWith('# EOF\n'));
  });

  it('is alive while it is not ready, and says why it is not', async () => {
    let reason: string | undefined = 'no snapshot yet';
    const server = await admin(() => reason);
    const before = await Promise.all(['/healthz', '/livez', '/readyz'].map((path) => ask(server, path)));
    reason = undefined;
    const now = await ask(server, '/readyz');
    assert.deepEqual(
      [...before, now].map(({ status, body }) => [status, body]),
      [
        [200, 'ok\n'],
        [200, 'ok\n'],
        [503, 'no snapshot yet\n'],
        [200, 'ok\n'],
      ],
    );
  });

  it('has nothing else: 404 as a problem, whatever the spelling', async () => {
    const server = await admin();
    const paths = [
      '/',
      '/metrics/',
      '/Metrics',
      '//metrics',
      '/metrics/../debug',
      '/debug/policies',
      '/healthz%2f',
      '*',
    ];
    const replies = await Promise.all(paths.map((path) => ask(server, path)));
    assert.deepEqual(
      replies.map(({ status }) => status),
      paths.map(() => 404),
    );
    assert.equal(replies[0]?.headers['content-type'], 'application/problem+json');
    assert.deepEqual(JSON.parse(replies[0]?.body ?? ''), { type: 'about:blank', title: 'Not Found', status: 404 });
  });

  it('answers GET and HEAD only', async () => {
    const server = await admin();
    const head = await ask(server, '/metrics', { method: 'HEAD' });
    const post = await ask(server, '/metrics', { method: 'POST' });
    assert.deepEqual([head.status, head.body], [200, '']);
    assert.deepEqual([post.status, post.headers.allow], [405, 'GET, HEAD']);
  });

  it('refuses headers that are too large', async () => {
    const reply = await ask(await admin(), '/healthz', { headers: { 'x-large': 'x'.repeat(10_000) } });
    assert.equal(reply.status, 431);
  });

  it('outlives bytes that are not HTTP', async () => {
    const server = await admin();
    const { address } = server;
    assert.ok(address.kind === 'tcp');
    const socket = connect(address.port, '127.0.0.1', () => socket.end('\x16\x03\x01\0\0GET / HTTP/9\r\n\r\n'));
    socket.resume();
    await new Promise((resolve) => socket.once('close', resolve));
    assert.equal((await ask(server, '/livez')).status, 200);
  });

  it('names the address and the flag when the port is in use', async () => {
    const { address } = await admin();
    const again = startAdminServer({
      address,
      metrics: new Metrics({ version: '1', process: false }),
      clock: systemClock,
      notReady: () => undefined,
      onError: nothing,
    });
    const port = address.kind === 'tcp' ? address.port : 0;
    await assert.rejects(again, (error: unknown) => {
      assert.ok(error instanceof PosternError);
      assert.equal(error.code, 'ERR_POSTERN_LISTEN');
      assert.equal(
        error.message,
        `Cannot listen on "127.0.0.1:${port}" (--admin-addr): something else listens there; stop it or choose another address`,
      );
      return true;
    });
  });
});

describe('startDebugServer()', () => {
  const pages = new Map([['/debug/policies', (): unknown => [{ name: 'orders', state: 'accepted' }]]]);
  const debug = (address: ListenAddress = LOOPBACK): Promise<RunningHttpServer> =>
    startDebugServer({ address, pages, onError: nothing });

  it('answers its pages as JSON and lists them', async () => {
    const server = await kept(debug());
    assert.deepEqual(JSON.parse((await ask(server, '/debug/policies')).body), [{ name: 'orders', state: 'accepted' }]);
    assert.deepEqual(JSON.parse((await ask(server, '/debug')).body), { pages: ['/debug/policies'] });
  });

  it('refuses an address that others can reach, and names the flag', async () => {
    for (const host of ['', '0.0.0.0', '::', '192.0.2.1', 'localhost']) {
      await assert.rejects(debug({ kind: 'tcp', host, port: 0 }), /--debug-addr/);
    }
  });

  it('refuses a page of another site that resolves to loopback (DNS rebinding)', async () => {
    const server = await kept(debug());
    const hosts = [
      'evil.example.org',
      'evil.example.org:9194',
      '127.0.0.1.example.org',
      'localhost.example.org',
      '192.0.2.1',
    ];
    const replies = await Promise.all(hosts.map((host) => ask(server, '/debug/policies', { headers: { host } })));
    assert.deepEqual(
      replies.map(({ status, body }) => [status, body.includes('orders')]),
      hosts.map(() => [421, false]),
    );
  });

  it('listens on a unix socket that only its owner can open, and replaces one that nobody serves', async () => {
    const address: ListenAddress = { kind: 'unix', path: join(folder, 'debug.sock') };
    const first = await debug(address);
    await assert.rejects(debug(address), /something else listens there/);
    assert.equal(statSync(address.path).mode & 0o777, 0o600);
    assert.equal((await ask(first, '/debug/policies')).status, 200);
    await first.close();
    const second = await debug(address);
    assert.equal((await ask(second, '/debug/policies')).status, 200);
    await second.close();
  });

  it('removes no file that is not a socket', async () => {
    const path = join(folder, 'notes.txt');
    writeFileSync(path, 'keep');
    await assert.rejects(debug({ kind: 'unix', path }), /a file that is no socket/);
    assert.equal(statSync(path).size, 4);
  });

  it('says 500 and no more when a page throws, and tells its owner', async () => {
    const told: unknown[] = [];
    const server = await kept(
      startDebugServer({
        address: LOOPBACK,
        pages: new Map([
          [
            '/debug/policies',
            () => {
              throw new Error('inner words');
            },
          ],
        ]),
        onError: (error) => told.push(error),
      }),
    );
    const reply = await ask(server, '/debug/policies');
    assert.deepEqual([reply.status, reply.body.includes('inner'), told.length], [500, false, 1]);
  });
});

describe('startHttpServer()', () => {
  const streaming = (body: () => AsyncIterable<string>, told: unknown[] = []): Promise<RunningHttpServer> =>
    kept(
      startHttpServer({
        address: LOOPBACK,
        flag: 'admin-addr',
        routes: new Map([['/long', () => ({ status: 200, contentType: 'text/plain', body: body() })]]),
        onError: (error) => told.push(error),
      }),
    );

  it('waits for a slow reader, piece by piece', async () => {
    let made = 0;
    const piece = 'x'.repeat(1_000_000);
    const server = await streaming(async function* () {
      for (; made < 64; made += 1) yield piece;
    });
    const { address } = server;
    assert.ok(address.kind === 'tcp');
    const socket = connect(address.port, '127.0.0.1');
    socket.write('GET /long HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    await new Promise((resolve) => setImmediate(resolve));
    assert.ok(made < 64, `${made} pieces were made for a reader that took none`);
    let bytes = 0;
    for await (const chunk of socket) bytes += (chunk as Buffer).length;
    assert.ok(bytes > 64_000_000);
  });

  it('gives up an answer whose reader goes away', async () => {
    let hasEnded: () => void = nothing;
    const ended = new Promise<void>((resolve) => {
      hasEnded = resolve;
    });
    const server = await streaming(async function* () {
      try {
        for (;;) yield 'x'.repeat(1_000_000);
      } finally {
        hasEnded();
      }
    });
    const { address } = server;
    assert.ok(address.kind === 'tcp');
    const socket = connect(address.port, '127.0.0.1');
    socket.write('GET /long HTTP/1.1\r\nHost: x\r\n\r\n');
    await new Promise((resolve) => socket.once('readable', resolve));
    socket.destroy();
    await ended;
  });

  it('breaks off an answer that fails half-way, so that it cannot be taken for a whole one', async () => {
    const told: unknown[] = [];
    const server = await streaming(async function* () {
      yield 'half';
      throw new Error('half-way');
    }, told);
    await assert.rejects(ask(server, '/long'));
    assert.equal(told.length, 1);
  });
});

describe('isLocalHost()', () => {
  it('knows the names of this machine', () => {
    const names = ['localhost', 'LOCALHOST:9194', '127.0.0.1', '127.0.0.1:80', '127.9.9.9', '[::1]', '[::1]:9194'];
    assert.deepEqual(
      names.filter((name) => !isLocalHost(name)),
      [],
    );
  });

  it('takes nothing else for one', () => {
    const names = [
      undefined,
      '',
      'localhost.',
      'a.localhost',
      '127.0.0.1@evil.example.org',
      '0.0.0.0',
      '[::]',
      '127.1',
    ];
    assert.deepEqual(
      names.filter((name) => isLocalHost(name)),
      [],
    );
  });
});
