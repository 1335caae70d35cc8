// The programs of nghttp2, the library that Node speaks HTTP/2 by and that others know best, as clients of the native door.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it, type TestContext } from 'node:test';
import { systemClock } from '../../internal/core/clock.ts';
import { requireComponent, run } from '../components/cache.ts';
import { type DebianProgram, obtainDebian } from '../components/debian.ts';
import { issue } from '../door/certificates.ts';
import { CHECK_PATH, closeAll, portOf, startDoor } from '../door/door-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'nghttp2-'));
after(async () => {
  await closeAll();
  rmSync(folder, { recursive: true, force: true });
});

const FIELDS = ['-H', 'content-type: application/grpc', '-H', 'te: trailers'];
/** Several frames of DATA; two of them are more than a window. */
const LARGE = 60_000;
const MAX_OUTPUT_BYTES = 16 * 1024 * 1024;

/** A file with the message that is sent, and what is to come back: the same. */
function messageFile(bytes: Uint8Array): { readonly file: string; readonly framed: string } {
  const prefix = Buffer.alloc(5);
  prefix.writeUInt32BE(bytes.length, 1);
  const framed = Buffer.concat([prefix, bytes]);
  const file = join(folder, `${bytes.length}.bin`);
  writeFileSync(file, framed);
  return { file, framed: framed.toString('latin1') };
}

async function outputOf(test: TestContext, name: DebianProgram, args: readonly string[]): Promise<string | undefined> {
  const program = requireComponent(await obtainDebian(name), test);
  if (program === undefined) return undefined;
  const { stdout } = await run(program, [...args], { encoding: 'latin1', maxBuffer: MAX_OUTPUT_BYTES });
  return stdout;
}

function tlsOptions() {
  const own = issue({ name: 'door' });
  const files = { certFile: join(folder, 'tls.crt'), keyFile: join(folder, 'tls.key'), clientCaFile: undefined };
  writeFileSync(files.certFile, own.certificate);
  writeFileSync(files.keyFile, own.privateKey);
  const nothing = (): void => undefined;
  return { files, reloadEveryMs: 60_000, clock: systemClock, onCertificate: nothing, onError: nothing };
}

describe('the native gRPC door', () => {
  for (const [scheme, tls] of [
    ['http', undefined],
    ['https', tlsOptions()],
  ] as const) {
    it(`answers nghttp over ${scheme}, however large the message is`, async (test) => {
      const door = await startDoor({ tls }, 'native');
      for (const bytes of [Buffer.from('hello'), Buffer.alloc(LARGE, 'a')]) {
        const { file, framed } = messageFile(bytes);
        const args = ['-d', file, ...FIELDS, `${scheme}://127.0.0.1:${portOf(door)}${CHECK_PATH}`];
        const plain = await outputOf(test, 'nghttp', args);
        if (plain === undefined) return;
        assert.equal(plain, framed);
        const told = (await outputOf(test, 'nghttp', ['-v', '-n', ...args])) ?? '';
        assert.match(told, /recv \(stream_id=\d+\) :status: 200\n/);
        assert.match(told, /recv \(stream_id=\d+\) grpc-status: 0\n/);
      }
      await door.drain(1000);
    });
  }

  it('answers every call of nghttp, many on one connection with answers beyond its window', async (test) => {
    const door = await startDoor({}, 'native');
    const { file, framed } = messageFile(Buffer.alloc(LARGE, 'b'));
    const url = `http://127.0.0.1:${portOf(door)}${CHECK_PATH}`;
    const plain = await outputOf(test, 'nghttp', ['-m', '20', '-d', file, ...FIELDS, url]);
    if (plain === undefined) return;
    assert.equal(plain.length, 20 * framed.length);
    await door.drain(1000);
  });

  it('answers every call of h2load, on several connections', async (test) => {
    let asked = 0;
    const check = (bytes: Uint8Array): Uint8Array => {
      asked += 1;
      return bytes;
    };
    const door = await startDoor({ check }, 'native');
    const { file, framed } = messageFile(Buffer.from('hello'));
    const load = ['-n', '5000', '-c', '4', '-m', '32', '-d', file, ...FIELDS];
    const told = await outputOf(test, 'h2load', [...load, `http://127.0.0.1:${portOf(door)}${CHECK_PATH}`]);
    if (told === undefined) return;
    assert.match(told, /requests: 5000 total, 5000 started, 5000 done, 5000 succeeded, 0 failed, 0 errored, 0 timeout/);
    assert.match(told, /status codes: 5000 2xx, 0 3xx, 0 4xx, 0 5xx/);
    assert.match(told, new RegExp(`\\((${5000 * framed.length})\\) data`));
    assert.equal(asked, 5000);
    await door.drain(1000);
  });
});
