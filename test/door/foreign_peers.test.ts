// Peers that are no Envoy, or no peer at all: what a door of gRPC says of them, and that it goes on.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../internal/core/clock.ts';
import type { GrpcDoor } from '../../internal/extauthz/grpc-door.ts';
import { until } from '../components/until.ts';
import { issue } from './certificates.ts';
import { closeAll, DoorClient, portOf, startDoor, usedTransport } from './door-client.ts';
import { checkFrames, frame, H2Client, PREFACE } from './h2-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'door-foreign-'));
after(async () => {
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

/** grpc-js is given sockets of which nothing was read: what it is fed later, it can throw at, and nobody catches that. */
const ONLY_NATIVE = { skip: usedTransport() === 'native' ? false : 'grpc-js does not say what a peer speaks' };
const HELLO = Buffer.from('hello');

/** A door, and what it says of connections. */
async function telling(options: Parameters<typeof startDoor>[0] = {}) {
  const said: string[] = [];
  const door = await startDoor({
    ...options,
    onForeign: (protocol) => said.push(protocol),
    onEnding: (ending) => said.push(ending),
  });
  return { door, said };
}

async function connected(door: GrpcDoor): Promise<Socket> {
  const socket = connect({ port: portOf(door), host: '127.0.0.1', noDelay: true });
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  return socket;
}

const closed = (socket: Socket): Promise<unknown> => {
  socket.resume();
  return once(socket, 'close');
};

async function stillAnswers(door: GrpcDoor): Promise<void> {
  const client = new DoorClient(door.address);
  assert.deepEqual(await client.check(HELLO), HELLO);
  client.close();
  await door.drain(1000);
}

function ownFiles() {
  const own = issue({ name: 'door' });
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: undefined };
  writeFileSync(files.certFile, own.certificate);
  writeFileSync(files.keyFile, own.privateKey);
  return { files, reloadEveryMs: 60_000, clock: systemClock, onCertificate: () => undefined, onError: () => undefined };
}

describe('the gRPC door says of a peer', () => {
  for (const [protocol, bytes] of [
    ['HTTP/1', Buffer.from('POST /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\n\r\n')],
    ['TLS', Buffer.from('16030100c8010000c40303', 'hex')],
    ['another protocol', Buffer.from('*1\r\n$4\r\nPING\r\n')],
    ['another protocol', Buffer.from('PRI * HTTP/2.0\r\n\r\nXX')],
  ] as const) {
    it(
      `that it speaks ${protocol}, also where ${JSON.stringify(bytes.toString('latin1', 0, 16))} comes in pieces`,
      ONLY_NATIVE,
      async () => {
        const { door, said } = await telling();
        const [whole, parts] = [await connected(door), await connected(door)];
        whole.write(bytes);
        await closed(whole);
        const gone = closed(parts);
        for (let at = 0; at < bytes.length && parts.writable; at += 1) {
          parts.write(bytes.subarray(at, at + 1));
          await new Promise((resolve) => setImmediate(resolve));
        }
        await gone;
        assert.deepEqual(said, [protocol, 'foreign', protocol, 'foreign']);
        await stillAnswers(door);
      },
    );
  }

  it('that it speaks no TLS where there is some', async () => {
    const { door, said } = await telling({ tls: ownFiles() });
    const socket = await connected(door);
    socket.write(PREFACE);
    await closed(socket);
    assert.deepEqual(said, ['no TLS']);
    await door.drain(0);
  });

  it('nothing that keeps the door from going on, where telling fails', async () => {
    const fail = (): never => {
      throw new Error('injected');
    };
    const door = await startDoor({ onForeign: fail, onEnding: fail, maxConnections: 1 });
    const first = await connected(door);
    await closed(await connected(door));
    first.write('GET / HTTP/1.1\r\n\r\n');
    await closed(first);
    await stillAnswers(door);
  });
});

describe('the gRPC door serves a peer', () => {
  it('whose preface comes byte by byte', async () => {
    const { door, said } = await telling();
    const socket = await connected(door);
    const heard: Buffer[] = [];
    socket.on('data', (bytes: Buffer) => heard.push(bytes));
    for (const byte of Buffer.concat([PREFACE, frame('SETTINGS', 0, 0), checkFrames(1, HELLO)])) {
      socket.write(Buffer.of(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    await until(() => Buffer.concat(heard).includes(HELLO));
    assert.deepEqual(said, []);
    socket.destroy();
    await stillAnswers(door);
  });
});

describe('the gRPC door ends a connection', () => {
  const early = { handshakeTimeoutMs: 20, bounds: { handshakeTimeoutMs: 20 } };

  for (const [what, bytes] of [
    ['nothing', Buffer.alloc(0)],
    ['a part of the preface', PREFACE.subarray(0, 10)],
    ['what may become HTTP/1', Buffer.from('GE')],
  ] as const) {
    it(`that says ${what} in time`, ONLY_NATIVE, async () => {
      const { door, said } = await telling(early);
      const socket = await connected(door);
      if (bytes.length > 0) socket.write(bytes);
      await closed(socket);
      assert.deepEqual(said, ['handshake']);
      await stillAnswers(door);
    });
  }

  it('whose TLS handshake is not over in time, however slowly it goes on', async () => {
    const { door, said } = await telling({ ...early, tls: ownFiles() });
    const socket = await connected(door);
    // The head of a ClientHello of 16,384 bytes, and then a byte at a time.
    socket.write(Buffer.from('1603014000010003fc0303', 'hex'));
    const dripping = setInterval(() => socket.write(Buffer.alloc(1)), 5);
    await closed(socket);
    clearInterval(dripping);
    assert.deepEqual(said, ['handshake']);
    await door.drain(0);
  });

  it('beyond those that there may be, and says so', async () => {
    const { door, said } = await telling({ maxConnections: 2 });
    const raws = [await H2Client.connect(portOf(door)), await H2Client.connect(portOf(door))];
    for (const raw of raws) await raw.settings();
    await closed(await connected(door));
    assert.deepEqual(said, ['connections']);
    for (const raw of raws) raw.destroy();
    await until(async () => {
      const client = new DoorClient(door.address);
      const isServed = await client.check(HELLO).then(
        () => true,
        () => false,
      );
      client.close();
      return isServed;
    });
    await door.drain(1000);
  });
});
