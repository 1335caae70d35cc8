import assert from 'node:assert/strict';
import { linkSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { systemClock } from '../core/clock.ts';
import { makeDirectory } from './worker-directory.ts';

const parent = mkdtempSync(join(tmpdir(), 'p-'));
after(() => rmSync(parent, { recursive: true, force: true }));

const within = (): string => mkdtempSync(join(parent, 'x'));
/** So much later every folder is old. */
const later = { wallMs: () => systemClock.wallMs() + 120_000 };

/** A socket file whose process is gone: the name of a socket outlives it where it was given another one. */
async function deadSocket(path: string): Promise<void> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(`${path}.live`, resolve));
  linkSync(`${path}.live`, path);
  await new Promise((resolve) => server.close(resolve));
}

describe('makeDirectory()', () => {
  it('makes a folder for this user alone, and takes it away', async () => {
    const folder = await makeDirectory(systemClock, within());
    assert.equal((statSync(folder.path).mode & 0o777).toString(8), '700');
    folder.remove();
    assert.equal(statSync(folder.path, { throwIfNoEntry: false }), undefined);
  });

  it('refuses a place whose name is too long for sockets, before workers would fail there for ever', async () => {
    const long = join(within(), 'd'.repeat(90));
    mkdirSync(long);
    await assert.rejects(makeDirectory(systemClock, long), {
      code: 'ERR_POSTERN_LISTEN',
      message: /a path of a socket has at most 107 bytes, not \d+\. .*name another one, with a short path, in TMPDIR$/,
    });
    assert.deepEqual(readdirSync(long), []);
  });

  it('says where a folder cannot be made', async () => {
    await assert.rejects(makeDirectory(systemClock, join(parent, 'none')), {
      code: 'ERR_POSTERN_LISTEN',
      message: /^--workers needs a folder for sockets in ".*none", which cannot be made: ENOENT/,
    });
  });

  it('takes away what an instance left that was killed, and nothing that is in use, young or not a folder of ours', async () => {
    const place = within();
    const used = await makeDirectory(systemClock, place);
    const left = join(place, 'postern-workers-left');
    const empty = join(place, 'postern-workers-empty');
    const elsewhere = within();
    writeFileSync(join(elsewhere, 'precious'), '');
    mkdirSync(left);
    mkdirSync(empty);
    await deadSocket(join(left, 'main.sock'));
    symlinkSync(elsewhere, join(place, 'postern-workers-link'));
    mkdirSync(join(place, 'postern-other'));
    const young = await makeDirectory(systemClock, place);
    assert.equal(readdirSync(place).includes('postern-workers-left'), false);
    assert.equal(readdirSync(place).includes('postern-workers-empty'), true);
    const old = await makeDirectory(later, place);
    const kept = [used, young, old].map(({ path }) => path.slice(place.length + 1));
    assert.deepEqual(readdirSync(place).sort(), [...kept, 'postern-other', 'postern-workers-link'].sort());
    assert.deepEqual(readdirSync(elsewhere), ['precious']);
    for (const folder of [used, young, old]) folder.remove();
  });
});
