import assert from 'node:assert/strict';
import { it } from 'node:test';
import { headerFields } from './attributes.ts';

it('headerFields() keeps no blank around a value: an upstream does not see it', () => {
  const fields = headerFields([
    ['X-Role', ' \tadmin\t '],
    ['x-role', 'a b'],
    ['x-blank', ' \t'],
    ['x-other', '\u00a0a\v'],
  ]);
  assert.deepEqual(fields.get('x-role'), ['admin', 'a b']);
  assert.deepEqual(fields.get('x-blank'), ['']);
  assert.deepEqual(fields.get('x-other'), ['\u00a0a\v']);
});
