// Buffers that answers are written from are shared by all connections: none may be used again while a socket has it.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../../internal/core/clock.ts';
import { issue } from '../door/certificates.ts';
import { closeAll, portOf, startDoor } from '../door/door-client.ts';
import { checkFrames, END_STREAM, FRAME_TYPES, frame, H2Client } from '../door/h2-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'unread-'));
after(async () => {
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

/** Beyond what the system keeps for a connection. */
const CALLS = 1000;
const BYTES = 9000;
const WIDE = Buffer.of(0, 4, 0x7f, 0xff, 0xff, 0xff);
const MORE = frame('WINDOW_UPDATE', 0, 0, Buffer.of(0x70, 0, 0, 0));

function tlsOptions() {
  const own = issue({ name: 'door' });
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: undefined };
  writeFileSync(files.certFile, own.certificate);
  writeFileSync(files.keyFile, own.privateKey);
  const nothing = (): void => undefined;
  return { files, reloadEveryMs: 60_000, clock: systemClock, onCertificate: nothing, onError: nothing };
}

/** Asks for many answers of one byte each, and reads none of them for now. */
async function deafOne(connect: () => Promise<H2Client>, letter: number): Promise<H2Client> {
  const client = await connect();
  await client.settings();
  client.send(MORE);
  client.pause();
  for (let i = 0; i < CALLS; i += 1) client.send(checkFrames(2 * i + 1, Buffer.of(letter)));
  return client;
}

/** The letters that its answers are made of. */
async function lettersOf(client: H2Client): Promise<ReadonlySet<number>> {
  const letters = new Set<number>();
  client.resume();
  for (let ended = 0; ended < CALLS; ) {
    const got = await client.next(({ type }) => type === FRAME_TYPES.DATA || type === FRAME_TYPES.HEADERS);
    assert.ok(got, 'the connection ended');
    if (got.type === FRAME_TYPES.DATA) for (const byte of new Set(got.payload.subarray(5))) letters.add(byte);
    if ((got.flags & END_STREAM) !== 0) ended += 1;
  }
  return letters;
}

describe('answers that are not read yet', () => {
  for (const [how, tls, connect] of [
    ['plain text', undefined, (port: number) => H2Client.connect(port, WIDE)],
    ['TLS', tlsOptions(), (port: number) => H2Client.connectTls(port, WIDE)],
  ] as const) {
    it(`are not written over by those of other connections, over ${how}`, async () => {
      const check = (bytes: Uint8Array): Buffer => Buffer.alloc(BYTES, bytes[0]);
      const door = await startDoor({ tls, check, bounds: { maxUnsentBytes: 64 * 1024 * 1024 } }, 'native');
      const open = () => connect(portOf(door));
      const deaf = await Promise.all([97, 98].map((letter) => deafOne(open, letter)));
      const busy = await open();
      await busy.settings();
      busy.send(MORE);
      for (let i = 0; i < CALLS; i += 1) {
        busy.send(checkFrames(2 * i + 1, Buffer.of(99)));
        assert.equal((await busy.messageOf(2 * i + 1))?.[0], 99);
      }
      assert.deepEqual(await Promise.all(deaf.map(lettersOf)), [new Set([97]), new Set([98])]);
      for (const client of [...deaf, busy]) client.destroy();
      await door.drain(1000);
    });
  }
});
