import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { withLock } from './lock.ts';

const SCRIPT = `
const { withLock } = await import(process.argv[1]);
await withLock(process.argv[2], async () => {
  process.stdout.write('held');
  await new Promise((resolve) => process.stdin.once('data', resolve));
});`;

describe('withLock()', () => {
  let folder = '';
  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'postern-lock-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('lets one caller in at a time, in one process', async () => {
    const path = join(folder, 'within');
    let inside = 0;
    let most = 0;
    const enter = (): Promise<void> =>
      withLock(path, async () => {
        inside += 1;
        most = Math.max(most, inside);
        await new Promise((resolve) => setImmediate(resolve));
        inside -= 1;
      });
    await Promise.all([enter(), enter(), enter()]);
    assert.deepEqual([inside, most], [0, 1]);
  });

  it('is free again after a failure, which the caller hears of', async () => {
    const path = join(folder, 'failed');
    await assert.rejects(
      withLock(path, () => Promise.reject(new Error('made to fail'))),
      /made to fail/,
    );
    assert.equal(await withLock(path, async () => 'in'), 'in');
  });

  for (const end of ['killed', 'finished'] as const) {
    it(`waits for another process, and is free once that has ${end === 'killed' ? 'been killed' : end}`, async () => {
      const path = join(folder, end);
      const holder = spawn(process.execPath, [
        '--input-type=module',
        '--eval',
        SCRIPT,
        join(import.meta.dirname, 'lock.ts'),
        path,
      ]);
      await once(holder.stdout, 'data');
      let waits = 0;
      const entered = withLock(
        path,
        async () => holder.exitCode ?? holder.signalCode ?? 'still held',
        () => {
          waits += 1;
          if (end === 'killed') holder.kill('SIGKILL');
          else holder.stdin.end('go');
        },
      );
      assert.notEqual(await entered, 'still held');
      assert.equal(waits, 1);
    });
  }

  it('fails in a folder that cannot be made', async () => {
    await assert.rejects(
      withLock('/dev/null/lock', async () => 'in'),
      /\/dev\/null/,
    );
  });
});
