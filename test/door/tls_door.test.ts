import assert from 'node:assert/strict';
import { createPrivateKey } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { connect as connectTls } from 'node:tls';
import { ChannelCredentials, status } from '@grpc/grpc-js';
import { systemClock } from '../../internal/core/clock.ts';
import { PosternError } from '../../internal/core/error.ts';
import type { GrpcDoor } from '../../internal/extauthz/grpc-door.ts';
import type { TlsOptions } from '../../internal/extauthz/tls-termination.ts';
import { type Issued, issue } from './certificates.ts';
import { closeAll, DoorClient, portOf, startDoor } from './door-client.ts';

const HELLO = Buffer.from('hello');
const folder = mkdtempSync(join(tmpdir(), 'door-tls-'));
const certFile = join(folder, 'tls.crt');
const keyFile = join(folder, 'tls.key');
const clientCaFile = join(folder, 'ca.crt');
const authority = issue({ name: 'authority', isCa: true });
const stranger = issue({ name: 'stranger', isCa: true });

function write({ certificate, privateKey }: Issued): void {
  writeFileSync(certFile, certificate);
  writeFileSync(keyFile, privateKey);
}

/** Everything the door says of its certificates, one after the other. */
class Heard {
  readonly #said: (number | string)[] = [];
  #onSaid: (() => void) | undefined = undefined;

  options(files: Partial<TlsOptions['files']> = {}): TlsOptions {
    return {
      files: { certFile, keyFile, clientCaFile: undefined, ...files },
      reloadEveryMs: 5,
      clock: systemClock,
      onCertificate: (notAfterMs) => this.#say(notAfterMs),
      onError: (error) => this.#say(error instanceof Error ? error.message : String(error)),
    };
  }

  async next(): Promise<number | string> {
    for (;;) {
      const said = this.#said.shift();
      if (said !== undefined) return said;
      await new Promise<void>((resolve) => {
        this.#onSaid = resolve;
      });
    }
  }

  #say(what: number | string): void {
    this.#said.push(what);
    this.#onSaid?.();
  }
}

function clientOf(door: GrpcDoor, own?: Issued, trusted = authority): DoorClient {
  const [key, certificate] =
    own === undefined ? [null, null] : [Buffer.from(own.privateKey), Buffer.from(own.certificate)];
  const credentials = ChannelCredentials.createSsl(Buffer.from(trusted.certificate), key, certificate);
  return new DoorClient(door.address, credentials, { 'grpc.ssl_target_name_override': 'localhost' });
}

async function answers(client: DoorClient): Promise<boolean> {
  try {
    assert.deepEqual(await client.check(HELLO), HELLO);
    return true;
  } catch (error) {
    assert.equal((error as { code?: number }).code, status.UNAVAILABLE);
    return false;
  } finally {
    client.close();
  }
}

/** Common name of the certificate that the door shows to a new connection. */
function shown(door: GrpcDoor): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const socket = connectTls(
    {
      port: portOf(door),
      host: '127.0.0.1',
      ca: authority.certificate,
      ALPNProtocols: ['h2'],
      servername: 'localhost',
    },
    () => {
      resolve(String(socket.getPeerCertificate().subject.CN));
      socket.destroy();
    },
  );
  socket.on('error', reject);
  return promise;
}

const isTlsError = (pattern: RegExp) => (error: unknown) =>
  error instanceof PosternError && error.code === 'ERR_POSTERN_TLS' && pattern.test(error.message);

after(async () => {
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

describe('the gRPC door with TLS', () => {
  before(() => write(issue({ name: 'first', issuer: authority })));

  it('answers those who trust its authority, and says when its certificate ends', async () => {
    const heard = new Heard();
    write(issue({ name: 'first', issuer: authority, notAfterMs: Date.UTC(2044, 1, 3) }));
    const door = await startDoor({ tls: heard.options() });
    assert.equal(await heard.next(), Date.UTC(2044, 1, 3));
    assert.equal(await answers(clientOf(door)), true);
    assert.equal(await answers(clientOf(door, undefined, stranger)), false);
    await door.drain(1000);
  });

  it('speaks no plain text', async () => {
    const door = await startDoor({ tls: new Heard().options() });
    assert.equal(await answers(new DoorClient(door.address)), false);
    await door.drain(1000);
  });

  it('takes a new certificate without losing the connections that there are', async () => {
    const heard = new Heard();
    write(issue({ name: 'first', issuer: authority }));
    const door = await startDoor({ tls: heard.options() });
    await heard.next();
    const client = clientOf(door);
    assert.deepEqual(await client.check(HELLO), HELLO);
    assert.equal(await shown(door), 'first');
    write(issue({ name: 'second', issuer: authority, notAfterMs: Date.UTC(2044, 5, 6) }));
    // Between the two files it may have seen a certificate without its key.
    while ((await heard.next()) !== Date.UTC(2044, 5, 6));
    assert.equal(await shown(door), 'second');
    assert.deepEqual(await client.check(HELLO), HELLO);
    client.close();
    await door.drain(1000);
  });

  for (const [what, certificate, message] of [
    ['that is none', 'not a certificate', /"[^"]*tls\.crt" holds no certificate/],
    [
      'whose key is another',
      issue({ name: 'other', issuer: authority }).certificate,
      /^--tls-cert "[^"]*tls\.crt" and --tls-key "[^"]*tls\.key" do not fit together$/,
    ],
  ] as const) {
    it(`keeps the old certificate beside a new one ${what}, says so once, and takes the next good one`, async () => {
      const heard = new Heard();
      write(issue({ name: 'good', issuer: authority }));
      const door = await startDoor({ tls: heard.options() });
      await heard.next();
      writeFileSync(certFile, certificate);
      assert.match(String(await heard.next()), message);
      assert.equal(await shown(door), 'good');
      const next = issue({ name: 'next', issuer: authority, notAfterMs: Date.UTC(2044, 7, 8) });
      write(next);
      while ((await heard.next()) !== Date.UTC(2044, 7, 8));
      assert.equal(await shown(door), 'next');
      await door.drain(1000);
    });
  }

  it('keeps the certificate it has beside a new one that is over, and says when it can use its files again', async () => {
    const heard = new Heard();
    const good = issue({ name: 'good', issuer: authority });
    write(good);
    const door = await startDoor({ tls: heard.options() });
    const first = await heard.next();
    const over = issue({ name: 'over', issuer: authority, notAfterMs: Date.UTC(2021, 0, 1) });
    write(over);
    const why = `--tls-cert: the certificate in "${certFile}" ended at 2021-01-01T00:00:00.000Z`;
    // Between the two files it may have seen a certificate without its key.
    while ((await heard.next()) !== why);
    assert.equal(await shown(door), 'good');
    write(good);
    while ((await heard.next()) !== first);
    assert.equal(await shown(door), 'good');
    await door.drain(1000);
  });

  it('does not start with files that are missing or cannot be used, and names them', async () => {
    const start = (files: Partial<TlsOptions['files']>) => startDoor({ tls: new Heard().options(files) });
    write(issue({ name: 'first', issuer: authority }));
    const broken = join(folder, 'broken.pem');
    writeFileSync(broken, 'broken');
    await assert.rejects(
      start({ certFile: join(folder, 'none.crt') }),
      isTlsError(/--tls-cert: "[^"]*none\.crt" cannot be read: there is no such file$/),
    );
    await assert.rejects(
      start({ keyFile: join(folder, 'none.key') }),
      isTlsError(/--tls-key: "[^"]*none\.key" cannot be read: there is no such file$/),
    );
    await assert.rejects(
      start({ certFile: broken }),
      isTlsError(/^--tls-cert: "[^"]*broken\.pem" holds no certificate in PEM$/),
    );
    await assert.rejects(
      start({ keyFile: broken }),
      isTlsError(/^--tls-key: "[^"]*broken\.pem" holds no private key in PEM$/),
    );
    await assert.rejects(
      start({ clientCaFile: broken }),
      isTlsError(/^--client-ca: "[^"]*broken\.pem" holds no certificate in PEM$/),
    );
  });

  it('says of a key with a passphrase that it is encrypted, without a code of OpenSSL', async () => {
    const locked = join(folder, 'locked.key');
    const { privateKey } = issue({ name: 'locked', issuer: authority });
    const pem = createPrivateKey(privateKey).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    writeFileSync(locked, pem);
    await assert.rejects(
      startDoor({ tls: new Heard().options({ keyFile: locked }) }),
      isTlsError(/^--tls-key: "[^"]*locked\.key" holds an encrypted key: write one without a passphrase$/),
    );
  });

  it('drains connections whose handshake never ends', async () => {
    const door = await startDoor({ tls: new Heard().options() });
    const silent = connect(portOf(door), '127.0.0.1');
    await once(silent, 'connect');
    const closed = once(silent, 'close');
    assert.equal(await answers(clientOf(door)), true);
    await door.drain(50);
    await closed;
  });
});

describe('the gRPC door with mTLS', () => {
  before(() => {
    write(issue({ name: 'door', issuer: authority }));
    writeFileSync(clientCaFile, authority.certificate);
  });

  it('answers clients of its authority, and nobody else', async () => {
    const door = await startDoor({ tls: new Heard().options({ clientCaFile }) });
    assert.equal(await answers(clientOf(door, issue({ name: 'envoy', issuer: authority }))), true);
    assert.equal(await answers(clientOf(door)), false);
    assert.equal(await answers(clientOf(door, issue({ name: 'envoy', issuer: stranger }))), false);
    assert.equal(await answers(clientOf(door, issue({ name: 'envoy' }))), false);
    const ended = issue({ name: 'envoy', issuer: authority, notAfterMs: Date.UTC(2021, 0, 1) });
    assert.equal(await answers(clientOf(door, ended)), false);
    await door.drain(1000);
  });

  it('takes a new authority of clients, and drops the old one', async () => {
    const heard = new Heard();
    writeFileSync(clientCaFile, authority.certificate);
    const door = await startDoor({ tls: heard.options({ clientCaFile }) });
    await heard.next();
    const old = issue({ name: 'envoy', issuer: authority });
    const next = issue({ name: 'envoy', issuer: stranger });
    assert.equal(await answers(clientOf(door, old)), true);
    writeFileSync(clientCaFile, stranger.certificate);
    assert.equal(typeof (await heard.next()), 'number');
    assert.equal(await answers(clientOf(door, old)), false);
    assert.equal(await answers(clientOf(door, next)), true);
    await door.drain(1000);
  });
});
