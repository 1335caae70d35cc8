import assert from 'node:assert/strict';
import { it } from 'node:test';
import { compileInheritance } from './inheritance.ts';

it('compileInheritance() keeps one set for all roles that are gone, however many a role inherits', async () => {
  const inherits = Array.from({ length: 1000 }, (_, i) => ({ name: `gone-${i}` }));
  const nodes = await compileInheritance(new Map([['heir', { inherits }]]), ['bound-and-gone'], () => undefined);
  assert.equal(nodes.size, 1002);
  const sets = new Set([...nodes.values()].flatMap(({ above, granting }) => [above, granting]));
  // What the heir inherits, and nothing.
  assert.equal(sets.size, 2);
  const heir = nodes.get('heir');
  assert.deepEqual(
    [heir?.isBoundless, heir?.above.has(999), heir?.granting.next(0), nodes.get('gone-0')?.granting.has(0)],
    [true, true, -1, false],
  );
});
