import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { REASONS } from '../internal/core/reasons.ts';

const ROOT = join(import.meta.dirname, '..');

function texts(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && /\.(test\.ts|yaml)$/.test(entry.name) && entry.name !== 'reasons.test.ts')
    .map((entry) => readFileSync(join(entry.parentPath, entry.name), 'utf8'));
}

/** What a check that nothing decided would end with: no input is known that leads there. */
const UNREACHED = ['undecided'];

/** As what a case expects, or as a word that a test compares with: in other texts many are ordinary English. */
it('every reason of the table is asserted by a test', () => {
  const all = [...texts('internal'), ...texts('test')].join('\n');
  const missing = Object.keys(REASONS).filter(
    (name) => !UNREACHED.includes(name) && !new RegExp(`\\b(?:expect|reason): ${name}\\b|'${name}'`).test(all),
  );
  assert.deepEqual(missing, []);
});
