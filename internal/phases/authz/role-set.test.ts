import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { RoleSet } from './role-set.ts';

const SIZE = 100;
const places = fc.array(fc.nat({ max: SIZE - 1 }));

function setOf(members: readonly number[], size = SIZE): RoleSet {
  const set = new RoleSet(size);
  for (const place of members) set.add(place);
  return set;
}

function membersOf(set: RoleSet): number[] {
  const members: number[] = [];
  for (let place = set.next(0); place !== -1; place = set.next(place + 1)) members.push(place);
  return members;
}

describe('RoleSet', () => {
  it('holds what was added, in order (property)', () => {
    fc.assert(
      fc.property(places, places, (own, others) => {
        const set = setOf(own);
        set.addAll(setOf(others));
        const expected = [...new Set([...own, ...others])].sort((a, b) => a - b);
        assert.deepEqual(membersOf(set), expected);
        for (let place = 0; place < SIZE; place += 1) assert.equal(set.has(place), expected.includes(place));
      }),
    );
  });

  it('has nothing beyond its size', () => {
    assert.deepEqual([setOf([], 0).has(0), setOf([31], 32).has(32), setOf([31], 32).next(32)], [false, false, -1]);
  });
});
