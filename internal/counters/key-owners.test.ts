import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KeyOwners } from './key-owners.ts';

describe('KeyOwners', () => {
  it('finds who has most as a full count would, however rows come and go', () => {
    const names = fc.constantFrom('a', 'b', 'c', 'd', 'e');
    const steps = fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), names), { maxLength: 400 });
    fc.assert(
      fc.property(steps, (all) => {
        const owners = new KeyOwners();
        const model = new Map<string, number>();
        const countOf = (name: string): number => model.get(name) ?? 0;
        for (const [kind, name] of all) {
          if (kind > 0) {
            owners.add(name);
            model.set(name, countOf(name) + 1);
          } else if (countOf(name) > 0) {
            owners.remove(owners.find(name) ?? -1);
            model.set(name, countOf(name) - 1);
          }
          const most = Math.max(...model.values(), 0);
          if (most === 0) continue;
          const furthest = owners.furthestOver(undefined);
          assert.equal(
            most,
            Math.max(...[...model.keys()].filter((key) => owners.find(key) === furthest).map(countOf)),
          );
          const comer = countOf(name) > 0 ? owners.find(name) : undefined;
          const isComer = comer !== undefined && countOf(name) + 1 >= most;
          assert.equal(owners.furthestOver(comer) === comer, isComer || furthest === comer);
        }
        for (const name of ['a', 'b', 'c', 'd', 'e'])
          assert.equal(owners.find(name) === undefined, countOf(name) === 0);
      }),
    );
  });
});
