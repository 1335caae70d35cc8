import assert from 'node:assert/strict';
import { once } from 'node:events';
import { connect } from 'node:net';
import { describe, it } from 'node:test';
import { request } from 'undici';
import { startEchoUpstream } from './echo-upstream.ts';

describe('startEchoUpstream()', () => {
  it('answers with the request that it received, and keeps it', async (t) => {
    const upstream = await startEchoUpstream();
    t.after(() => upstream.close());
    const { statusCode, body } = await request(`http://127.0.0.1:${upstream.port}/a?b=c`, {
      method: 'PUT',
      headers: { host: 'api.example.org', 'x-a': ['1', '2'] },
      body: 'grüße',
    });
    const headers = {
      host: 'api.example.org',
      connection: 'keep-alive',
      'x-a': '1, 2',
      'content-length': '7',
    };
    assert.deepEqual([statusCode, await body.json()], [200, { method: 'PUT', url: '/a?b=c', headers, body: 'grüße' }]);
    assert.equal(upstream.count(), 1);
    assert.deepEqual(
      upstream.seen.map(({ rawHeaders }) => rawHeaders.filter((_, position) => rawHeaders[position - 1] === 'x-a')),
      [['1', '2']],
    );
  });

  it('does not count, or end over, a client that goes away halfway', async (t) => {
    const upstream = await startEchoUpstream();
    t.after(() => upstream.close());
    const socket = connect(upstream.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.end('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nab');
    await once(socket.resume(), 'close');
    assert.deepEqual([upstream.count(), upstream.seen], [0, []]);
  });

  it('keeps the last thousand requests, and counts on', async (t) => {
    const upstream = await startEchoUpstream();
    t.after(() => upstream.close());
    const socket = connect(upstream.port, '127.0.0.1');
    const all = Array.from({ length: 1001 }, (_, number) => `GET /${number} HTTP/1.1\r\nHost: a\r\n\r\n`);
    socket.end(all.join(''));
    await once(socket.resume(), 'close');
    assert.deepEqual([upstream.count(), upstream.seen.length, upstream.seen[0]?.url], [1001, 1000, '/1']);
  });

  it('fails on a port that is taken', async (t) => {
    const upstream = await startEchoUpstream();
    t.after(() => upstream.close());
    await assert.rejects(startEchoUpstream(upstream.port), /EADDRINUSE/);
  });
});
