import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { RE2JS } from 're2js';
import { meteredSearch, type Search } from './metered-search.ts';
import { StateMemory, type States } from './state-memory.ts';

class Fake implements States {
  readonly stateBudget = 100;
  memBudget = 100;
  clearCache(): void {
    this.memBudget = this.stateBudget;
  }
}

const grow = (states: Fake, bytes: number, told: () => void): void => {
  states.memBudget -= bytes;
  told();
};

describe('StateMemory', () => {
  it('empties the patterns that grew longest ago when all together are over the bound', () => {
    const memory = new StateMemory(100);
    const [a, b, c] = [new Fake(), new Fake(), new Fake()];
    const [tellA, tellB, tellC] = [memory.add(a), memory.add(b), memory.add(c)];
    grow(a, 30, tellA);
    grow(b, 40, tellB);
    grow(a, 10, tellA);
    assert.deepEqual([memory.bytes, b.memBudget], [80, 60]);
    grow(c, 50, tellC);
    assert.deepEqual([memory.bytes, a.memBudget, b.memBudget, c.memBudget], [90, 60, 100, 50]);
  });

  it('counts a pattern that the library emptied for what it has now', () => {
    const memory = new StateMemory(100);
    const a = new Fake();
    const tell = memory.add(a);
    grow(a, 90, tell);
    a.clearCache();
    grow(a, 5, tell);
    assert.equal(memory.bytes, 5);
  });
});

/** Letters that look random, the same ones in every run. */
function letters(count: number, seed: number): string {
  let state = seed;
  let text = '';
  while (text.length < count) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    text += 'aeb'.charAt((state >>> 16) % 3);
  }
  return text;
}

it('requests that make the states of many patterns explode take bounded memory, and find what they found before', () => {
  const numbers = Array.from({ length: 12 }, (_, i) => 12 + i);
  const meter = () => ({ work: 1e9, iterations: 1e9 });
  const explode = (memory: StateMemory): Search[] =>
    numbers.map((n, i) => {
      const search = meteredSearch(RE2JS.compile(`(a|z)[^c]{${n}}[de][f-h]`), memory);
      search(meter(), letters(500, i));
      return search;
    });
  const unbounded = new StateMemory(Number.POSITIVE_INFINITY);
  explode(unbounded);
  const memory = new StateMemory(100_000);
  const searches = explode(memory);
  assert.ok(unbounded.bytes > 300_000, `${unbounded.bytes} bytes`);
  assert.ok(memory.bytes <= 100_000, `${memory.bytes} bytes`);
  for (const [i, search] of searches.entries()) {
    const n = numbers[i] ?? 0;
    const found = [n, n - 1].map((count) => search(meter(), `a${'b'.repeat(count)}dg`));
    assert.deepEqual(found, [true, false]);
  }
});
