import assert from 'node:assert/strict';
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { isProgram } from '../../internal/envoy/on-path.ts';
import { CACHE, type Obtained, obtain, progress, requireComponent, run } from '../components/cache.ts';
import { goBuild } from '../components/go.ts';
import { closeAll, startDoor } from '../door/door-client.ts';

after(closeAll);

const VERSION = '1.85.0';
const HOME = join(CACHE, `go-client-${VERSION}`);
const SOURCE = join(import.meta.dirname, 'go-client/main.go');
const BINARY = join(HOME, 'client');

/** A client by grpc-go, built the first time. */
function obtainGoClient(): Promise<Obtained> {
  const find = async (): Promise<string | undefined> =>
    (await isProgram(BINARY)) && (await isOfThisSource()) ? BINARY : undefined;
  return obtain({ title: 'a client by grpc-go', lock: 'go', find, make });
}

async function isOfThisSource(): Promise<boolean> {
  const [built, source] = await Promise.all([join(HOME, 'main.go'), SOURCE].map((file) => readFile(file, 'utf8')));
  return built === source;
}

async function make(): Promise<void> {
  progress('Building a client by grpc-go …');
  await mkdir(HOME, { recursive: true });
  await copyFile(SOURCE, join(HOME, 'main.go'));
  const required = `google.golang.org/grpc v${VERSION}`;
  await writeFile(join(HOME, 'go.mod'), `module client\n\ngo 1.26\n\nrequire ${required}\n`);
  const to = `${BINARY}.new`;
  await goBuild({ folder: HOME, program: '.', flags: '-s -w', to });
  await rename(to, BINARY);
}

describe('the native gRPC door', () => {
  it('is understood by grpc-go', { timeout: 900_000 }, async (test) => {
    const client = requireComponent(await obtainGoClient(), test);
    if (client === undefined) return;
    const door = await startDoor(
      {
        maxReceiveBytes: 2 * 1024 * 1024,
        check: (bytes) => (bytes.length === 1 ? new Promise(() => undefined) : bytes),
      },
      'native',
    );
    door.setServing(true);
    const { stdout } = await run(client, [door.address]);
    assert.deepEqual(JSON.parse(stdout), {
      small: 'same',
      large: 'same',
      'too large': 'ResourceExhausted',
      unknown: 'Unimplemented',
      late: 'DeadlineExceeded',
      many: { same: 500 },
      health: 'SERVING <nil>',
      watch: 'SERVING <nil>',
      list: '2 <nil>',
    });
    await door.drain(1000);
  });
});
