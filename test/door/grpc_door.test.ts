import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { gzipSync } from 'node:zlib';
import { Metadata, status } from '@grpc/grpc-js';
import { systemClock } from '../../internal/core/clock.ts';
import { PosternError } from '../../internal/core/error.ts';
import type { DoorCall } from '../../internal/extauthz/check.ts';
import { closeAll, DoorClient, portOf, startDoor, usedTransport } from './door-client.ts';
import { frame, H2Client, requestHeaders } from './h2-client.ts';

const HELLO = Buffer.from('hello');
const folder = mkdtempSync(join(tmpdir(), 'door-'));
after(async () => {
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

const isListenError = (pattern: RegExp) => (error: unknown) =>
  error instanceof PosternError && error.code === 'ERR_POSTERN_LISTEN' && pattern.test(error.message);

describe('the gRPC door', () => {
  it('hands bytes to the check and its bytes back', async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    assert.deepEqual(await client.check(HELLO), HELLO);
    client.close();
    await door.drain(1000);
  });

  it('takes bytes that are no Buffer, and answers that come later', async () => {
    const door = await startDoor({ check: async () => new Uint8Array([1, 2, 3]).subarray(1) });
    const client = new DoorClient(door.address);
    assert.deepEqual(await client.check(HELLO), Buffer.from([2, 3]));
    client.close();
    await door.drain(1000);
  });

  it('answers an error, never an empty message, when the check throws, rejects or answers nothing', async () => {
    const empty = new Uint8Array();
    for (const check of [
      () => {
        throw new Error('a secret of ours');
      },
      () => Promise.reject(new Error('a secret of ours')),
      () => empty,
      () => Promise.resolve(empty),
      () => undefined as unknown as Uint8Array,
      () => Promise.resolve(undefined as unknown as Uint8Array),
    ]) {
      const door = await startDoor({ check });
      const client = new DoorClient(door.address);
      await assert.rejects(client.check(HELLO), { code: status.INTERNAL, details: 'internal' });
      client.close();
      await door.drain(1000);
    }
  });

  it('knows no other method', async () => {
    const door = await startDoor();
    const client = new DoorClient(door.address);
    const { answer } = client.send(HELLO, {}, { path: '/envoy.service.auth.v2.Authorization/Check' });
    await assert.rejects(answer, { code: status.UNIMPLEMENTED });
    client.close();
    await door.drain(1000);
  });

  describe('tells the check of its caller', () => {
    /** A door that keeps the call of each check and answers at once. */
    const listening = async (calls: DoorCall[]) => {
      const door = await startDoor({
        check(bytes, call) {
          calls.push(call);
          return bytes;
        },
      });
      return { door, client: new DoorClient(door.address) };
    };

    it('its deadline, by the monotonic clock', async () => {
      const calls: DoorCall[] = [];
      const { door, client } = await listening(calls);
      const sentMs = systemClock.monotonicMs();
      await client.check(HELLO, { deadline: new Date(systemClock.wallMs() + 5000) });
      await client.check(HELLO);
      const [withDeadline, without] = calls.map((call) => call.deadlineMs);
      assert.ok(withDeadline !== undefined && Math.abs(withDeadline - sentMs - 5000) < 1000, String(withDeadline));
      assert.equal(without, undefined);
      client.close();
      await door.drain(1000);
    });

    it('the metadata of the call', async () => {
      const calls: DoorCall[] = [];
      const { door, client } = await listening(calls);
      const metadata = new Metadata();
      metadata.set('traceparent', '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01');
      await client.send(HELLO, {}, { metadata }).answer;
      const values = (name: string) => calls[0]?.metadata?.get(name);
      assert.deepEqual(values('traceparent'), ['00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01']);
      assert.deepEqual(values('tracestate'), []);
      client.close();
      await door.drain(1000);
    });

    it('that it has gone away', async () => {
      const arrived = Promise.withResolvers<DoorCall>();
      const left = Promise.withResolvers<void>();
      const door = await startDoor({
        check(bytes, call) {
          call.onCancel?.(() => left.resolve());
          arrived.resolve(call);
          return left.promise.then(() => bytes);
        },
      });
      const client = new DoorClient(door.address);
      const { answer, call: sent } = client.send(HELLO);
      const refused = assert.rejects(answer, { code: status.CANCELLED });
      const call = await arrived.promise;
      assert.equal(call.isCancelled(), false);
      sent.cancel();
      await left.promise;
      assert.equal(call.isCancelled(), true);
      await refused;
      client.close();
      await door.drain(1000);
    });
  });

  describe('bounds messages', () => {
    it('to --max-receive-bytes, as sent and as unpacked', async () => {
      const door = await startDoor({ maxReceiveBytes: 1000, check: () => HELLO });
      const client = new DoorClient(door.address);
      assert.deepEqual(await client.check(Buffer.alloc(1000)), HELLO);
      await assert.rejects(client.check(Buffer.alloc(1001)), { code: status.RESOURCE_EXHAUSTED });
      const raw = await H2Client.connect(portOf(door));
      const packed = gzipSync(Buffer.alloc(100_000));
      raw.send(requestHeaders(1, [['grpc-encoding', 'gzip']]));
      raw.send(frame('DATA', 1, 1, Buffer.concat([Buffer.from([1, 0, 0, 0, packed.length]), packed])));
      // Over grpc-js it is unpacked, as far as it may be long; the native door takes nothing that is packed.
      const refused = usedTransport() === 'native' ? status.UNIMPLEMENTED : status.RESOURCE_EXHAUSTED;
      assert.equal((await raw.trailersOf(1)).get('grpc-status'), String(refused));
      raw.destroy();
      client.close();
      await door.drain(1000);
    });

    it('by the length they announce, before there is memory for it', async () => {
      const door = await startDoor({ maxReceiveBytes: 1000 });
      const raw = await H2Client.connect(portOf(door));
      raw.send(requestHeaders(1));
      raw.send(frame('DATA', 0, 1, Buffer.from([0, 0xff, 0xff, 0xff, 0xff, 0])));
      assert.equal((await raw.trailersOf(1)).get('grpc-status'), String(status.RESOURCE_EXHAUSTED));
      raw.destroy();
      await door.drain(1000);
    });
  });

  it('lets a connection have 1024 calls at a time', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    assert.equal((await raw.settings()).get(3), 1024);
    raw.destroy();
    await door.drain(1000);
  });

  describe('on TCP', () => {
    it('names the port that it was given for port 0, and takes every interface without a host', async () => {
      const door = await startDoor({ address: { kind: 'tcp', host: '', port: 0 } });
      assert.match(door.address, /^(\[::\]|0\.0\.0\.0):[1-9][0-9]*$/);
      const client = new DoorClient(`127.0.0.1:${portOf(door)}`);
      assert.deepEqual(await client.check(HELLO), HELLO);
      client.close();
      await door.drain(1000);
    });

    it('names the address and the flag when something else listens there', async () => {
      const other = createServer().listen(0, '127.0.0.1');
      await once(other, 'listening');
      const { port } = other.address() as { port: number };
      await assert.rejects(
        startDoor({ address: { kind: 'tcp', host: '127.0.0.1', port } }),
        isListenError(new RegExp(`"127.0.0.1:${port}" \\(--grpc-addr\\): something else listens there`)),
      );
      other.close();
    });

    it('names the address when this machine has no such one', async () => {
      await assert.rejects(
        startDoor({ address: { kind: 'tcp', host: '192.0.2.1', port: 9191 } }),
        isListenError(/"192\.0\.2\.1:9191".*this machine has no such address/),
      );
    });
  });

  describe('on a unix socket', () => {
    const path = join(folder, 'postern.sock');
    const address = { kind: 'unix', path } as const;

    it('answers, for owner and group alone, and leaves no file behind', async () => {
      const door = await startDoor({ address });
      assert.equal(door.address, `unix:${path}`);
      assert.equal(statSync(path).mode & 0o777, 0o660);
      const client = new DoorClient(door.address);
      assert.deepEqual(await client.check(HELLO), HELLO);
      client.close();
      await door.drain(1000);
      assert.equal(statSync(path, { throwIfNoEntry: false }), undefined);
    });

    it('takes the place of a socket file whose process is gone', async () => {
      const stale = `require('node:net').createServer().listen(${JSON.stringify(path)}, () => process.kill(process.pid, 'SIGKILL'))`;
      spawnSync(process.execPath, ['-e', stale]);
      assert.equal(statSync(path).isSocket(), true);
      const door = await startDoor({ address });
      await door.drain(1000);
    });

    it('leaves one that answers alone', async () => {
      const door = await startDoor({ address });
      await assert.rejects(startDoor({ address }), isListenError(/something else listens there/));
      const client = new DoorClient(door.address);
      assert.deepEqual(await client.check(HELLO), HELLO);
      client.close();
      await door.drain(1000);
    });

    it('leaves a file that is no socket alone', async () => {
      const file = join(folder, 'notes.txt');
      writeFileSync(file, 'kept');
      await assert.rejects(
        startDoor({ address: { kind: 'unix', path: file } }),
        isListenError(/a file that is no socket/),
      );
      assert.equal(statSync(file).size, 4);
    });

    it('names the directory that is missing', async () => {
      const lost = join(folder, 'none', 'postern.sock');
      await assert.rejects(
        startDoor({ address: { kind: 'unix', path: lost } }),
        isListenError(new RegExp(`there is no directory "${join(folder, 'none')}"`)),
      );
    });
  });

  it('goes on after a grpc-timeout that is none', async () => {
    const door = await startDoor();
    const raw = await H2Client.connect(portOf(door));
    raw.send(requestHeaders(1, [['grpc-timeout', 'soon']]));
    assert.equal((await raw.trailersOf(1)).get('grpc-status'), String(status.INTERNAL));
    const client = new DoorClient(door.address);
    assert.deepEqual(await client.check(HELLO), HELLO);
    client.close();
    raw.destroy();
    await door.drain(1000);
  });
});
