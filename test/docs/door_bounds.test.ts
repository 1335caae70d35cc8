import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { OPTION_OF } from '../../internal/app/bound-options-of.ts';
import { CALL_BOUNDS, CONNECTION_ENDINGS } from '../../internal/core/door-bounds.ts';

const page = readFileSync('docs/monitoring.md', 'utf8');
const sectionOf = (title: string): string => page.split(`\n### ${title}\n`)[1]?.split('\n#')[0] ?? '';

/** Each bound of a table, and the option that its last column begins with. */
function rowsOf(title: string): Readonly<Record<string, string | undefined>> {
  const rows = sectionOf(title).matchAll(/^\| `(\w+)` \| .* \| (?:`--([a-z-]+)`)?[^|]*\|$/gm);
  return Object.fromEntries([...rows].map(([, bound = '', option]) => [bound, option]));
}

describe('docs/monitoring.md', () => {
  for (const [title, bounds] of [
    ['Connections', CONNECTION_ENDINGS],
    ['Calls', CALL_BOUNDS],
  ] as const)
    it(`says of every bound of ${title.toLowerCase()} which option it has`, () => {
      assert.deepEqual(rowsOf(title), Object.fromEntries(bounds.map((bound) => [bound, OPTION_OF[bound]])));
    });
});
