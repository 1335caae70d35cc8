import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { obtain, requireComponent, skipWithout } from './cache.ts';

const run = promisify(execFile);
const recipe = { title: 'A part', lock: 'cache-test' };
const MISSING = `
const { skipWithout } = await import(process.argv[1]);
process.stdout.write(String(skipWithout({ missing: 'there is none' })));`;

/** What a process with this value of CI does about a missing component. */
async function missingWith(ci: string): Promise<string> {
  const args = ['--input-type=module', '--eval', MISSING, join(import.meta.dirname, 'cache.ts')];
  return run(process.execPath, args, { env: { PATH: process.env.PATH, CI: ci } }).then(
    ({ stdout, stderr }) => `${stdout} | ${stderr.trim()}`,
    ({ stderr }: { stderr: string }) => /Error: .*/.exec(stderr)?.[0] ?? stderr,
  );
}

describe('obtain()', () => {
  it('makes nothing that is there', async () => {
    const make = (): Promise<void> => Promise.reject(new Error('made again'));
    assert.deepEqual(await obtain({ ...recipe, find: async () => '/there', make }), { path: '/there' });
  });

  it('makes a part once for all that ask for it at the same time', async () => {
    let made = 0;
    const find = async (): Promise<string | undefined> => (made > 0 ? '/made' : undefined);
    const make = async (): Promise<void> => {
      made += 1;
    };
    const ask = (): Promise<unknown> => obtain({ ...recipe, find, make });
    assert.deepEqual(await Promise.all([ask(), ask(), ask()]), Array(3).fill({ path: '/made' }));
    assert.equal(made, 1);
  });

  it('says what the command said that failed', async () => {
    const make = async (): Promise<void> => void (await run('/bin/sh', ['-c', 'echo "no such module" >&2; exit 1']));
    const missing = 'A part cannot be had: no such module';
    assert.deepEqual(await obtain({ ...recipe, find: async () => undefined, make }), { missing });
  });

  it('does not take a part that is still not there for made', async () => {
    const nothing = async (): Promise<undefined> => undefined;
    assert.deepEqual(await obtain({ ...recipe, find: nothing, make: nothing }), { missing: 'A part came incomplete' });
  });
});

describe('a component', () => {
  it('is no matter where it is there', () => {
    const skipped: string[] = [];
    assert.equal(requireComponent({ path: '/there' }, { skip: (why) => skipped.push(why) }), '/there');
    assert.deepEqual([skipped, skipWithout({ path: '/there' })], [[], false]);
  });

  it("that is missing skips loudly on a person's machine", async () => {
    assert.equal(await missingWith(''), 'there is none | [components] SKIPPED: there is none');
  });

  it('that is missing fails with CI=true', async () => {
    assert.equal(await missingWith('true'), 'Error: A component is missing: there is none');
  });
});
