import assert from 'node:assert/strict';
import { it } from 'node:test';
import { hasOtherCase } from './other-case.ts';

it('hasOtherCase() finds a name in other letters, among few and among many', () => {
  for (const others of [0, 100]) {
    const filled = Object.fromEntries(Array.from({ length: others }, (_, i) => [`other${i}`, i]));
    const has = (names: Readonly<Record<string, number>>, name: string): readonly boolean[] => {
      const object = { ...filled, ...names };
      return [hasOtherCase(object, name), hasOtherCase(new Map(Object.entries(object)), name)];
    };
    assert.deepEqual(has({ limit: 1, offset: 1 }, 'limit'), [false, false]);
    assert.deepEqual(has({ offset: 1 }, 'limit'), [false, false]);
    assert.deepEqual(has({ Limit: 1 }, 'limit'), [true, true]);
    assert.deepEqual(has({ limit: 1, LIMIT: 1 }, 'limit'), [true, true]);
    assert.deepEqual(has({ limit: 1 }, 'Limit'), [true, true]);
    assert.deepEqual(has({ ſku: 1 }, 'sku'), [true, true]);
    assert.deepEqual(has({ sKu: 1 }, 'sku'), [true, true]);
    assert.deepEqual(has({ constructor: 1 }, 'Constructor'), [true, true]);
  }
});

it('hasOtherCase() folds many names once, however often it is asked', () => {
  const names = Object.fromEntries(Array.from({ length: 20_000 }, (_, i) => [String(100_000 + i), i]));
  const start = performance.now();
  for (let i = 0; i < 10_000; i += 1) assert.equal(hasOtherCase(names, '999999'), false);
  assert.ok(performance.now() - start < 2000);
});
