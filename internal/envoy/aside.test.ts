import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { makeAside } from './aside.ts';

describe('makeAside()', () => {
  let root = '';
  let home = '';
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'postern-aside-'));
    home = join(root, 'cache/part-1.2');
  });
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const fill = async (folder: string): Promise<void> => writeFileSync(join(folder, 'file'), 'new');

  it('makes a folder that was not there, with those above it', async () => {
    await makeAside(home, fill);
    assert.deepEqual(readdirSync(join(root, 'cache')), ['part-1.2']);
    assert.equal(readFileSync(join(home, 'file'), 'utf8'), 'new');
  });

  it('replaces what lies there as a whole', async () => {
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'old'), '');
    await makeAside(home, fill);
    assert.deepEqual(readdirSync(home), ['file']);
  });

  it('leaves what lies there, and nothing else, when filling fails', async () => {
    await makeAside(home, fill);
    await assert.rejects(
      makeAside(home, async (folder) => {
        writeFileSync(join(folder, 'half'), '');
        throw new Error('cut off');
      }),
      /cut off/,
    );
    assert.deepEqual([readdirSync(join(root, 'cache')), readdirSync(home)], [['part-1.2'], ['file']]);
  });

  it('clears away what was left halfway, but nothing of its neighbours', async () => {
    for (const name of ['part-1.2.aaaa.partial', 'part-1.20.aaaa.partial', 'other.bbbb.partial'])
      mkdirSync(join(root, 'cache', name), { recursive: true });
    await makeAside(home, fill);
    assert.deepEqual(readdirSync(join(root, 'cache')).sort(), [
      'other.bbbb.partial',
      'part-1.2',
      'part-1.20.aaaa.partial',
    ]);
  });
});
