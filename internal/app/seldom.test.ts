import assert from 'node:assert/strict';
import { it } from 'node:test';
import { Seldom } from './seldom.ts';

it('Seldom tells one of a kind in ten seconds, and how many it did not tell', () => {
  let nowMs = 0;
  const seldom = new Seldom<'a' | 'b'>({ monotonicMs: () => nowMs });
  const told: (number | undefined)[] = [];
  for (const [kind, ms] of [
    ['a', 0],
    ['a', 1],
    ['b', 2],
    ['a', 9999],
    ['a', 10_000],
    ['a', 20_000],
  ] as const) {
    nowMs = ms;
    told.push(seldom.next(kind));
  }
  assert.deepEqual(told, [0, undefined, 0, undefined, 2, 0]);
});
