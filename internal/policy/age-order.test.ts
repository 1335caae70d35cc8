import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { AgeOrder } from './age-order.ts';
import { compareAge } from './object.ts';

const item = fc
  .record({ name: fc.constantFrom('a', 'b', 'c', 'd'), namespace: fc.constantFrom('x', 'y'), second: fc.nat(3) })
  .map(({ name, namespace, second }) => ({
    object: {
      metadata: { name, namespace, uid: '', generation: 1, creationTimestamp: `2027-01-01T00:00:0${second}Z` },
    },
  }));

it('AgeOrder keeps what is there sorted by age, whatever comes and goes', () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.boolean(), item), { maxLength: 60 }), (steps) => {
      const order = new AgeOrder<(typeof steps)[number][1]>();
      const held: (typeof steps)[number][1][] = [];
      for (const [isAdded, given] of steps) {
        const same = held.findIndex(({ object }) => compareAge(object.metadata, given.object.metadata) === 0);
        if (isAdded && same === -1) {
          order.add(given);
          held.push(given);
        } else if (!isAdded && same !== -1) {
          const [gone] = held.splice(same, 1);
          if (gone !== undefined) order.remove(gone);
        }
      }
      assert.deepEqual(
        order.list(),
        held.toSorted((a, b) => compareAge(a.object.metadata, b.object.metadata)),
      );
    }),
  );
});
