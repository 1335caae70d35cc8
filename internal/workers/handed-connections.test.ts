import assert from 'node:assert/strict';
import { createServer, Socket } from 'node:net';
import { describe, it } from 'node:test';
import { until } from '../../test/components/until.ts';
import { HandedConnections } from './handed-connections.ts';

const TARGET = { address: { kind: 'tcp', host: '127.0.0.1', port: 1 }, flag: 'grpc-addr', socketMode: 0 } as const;

describe('HandedConnections', () => {
  it('gives connections to the server of their flag, at most as many as it takes, and counts all that are no more', async () => {
    const handed = new HandedConnections();
    const taken: Socket[] = [];
    const server = createServer((socket) => taken.push(socket));
    server.maxConnections = 2;
    assert.deepEqual(await handed.listen(server, TARGET), TARGET.address);
    const [first, second, third] = [new Socket(), new Socket(), new Socket()];
    for (const socket of [first, second, third]) handed.take('grpc-addr', socket);
    assert.deepEqual([taken, third.destroyed, handed.closed], [[first, second], true, 1]);
    first.destroy();
    await until(() => handed.closed === 2);
    const fourth = new Socket();
    handed.take('grpc-addr', fourth);
    assert.deepEqual([taken, handed.closed], [[first, second, fourth], 2]);
  });

  it('counts as closed what was closed on its way, and what is for a door that there is not', () => {
    const handed = new HandedConnections();
    const stray = new Socket();
    handed.take('grpc-addr', undefined);
    handed.take('http-addr', stray);
    assert.deepEqual([handed.closed, stray.destroyed], [2, true]);
  });
});
