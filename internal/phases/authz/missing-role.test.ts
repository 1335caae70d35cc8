import assert from 'node:assert/strict';
import { it } from 'node:test';
import { missingRole } from './missing-role.ts';

it('missingRole() names the role that was meant, where few enough may be', () => {
  const many = Array.from({ length: 65 }, (_, index) => `reader-${index}`);
  assert.deepEqual(
    [missingRole('raeder', ['writer', 'reader']), missingRole('x', []), missingRole('reader-x', many)],
    [
      'No accepted APIRole "raeder" in this namespace (did you mean "reader"?)',
      'No accepted APIRole "x" in this namespace',
      'No accepted APIRole "reader-x" in this namespace',
    ],
  );
});
