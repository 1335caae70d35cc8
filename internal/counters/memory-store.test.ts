import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import type { Rate, Take } from '../phases/ratelimit/counter-store.ts';
import { MemoryStore } from './memory-store.ts';

const storeOf = (maxKeys = 1000): { readonly store: MemoryStore; evicted: number } => {
  const held = { evicted: 0, store: undefined as unknown as MemoryStore };
  held.store = new MemoryStore({ maxKeys, onEvict: () => (held.evicted += 1) });
  return held;
};
const at = (ms: number) => ({ monotonicMs: ms, wallMs: ms });
const one = (rate: Rate, key = 'k', cost = 1): Take[] => [{ key, rate, cost }];
const passes = (store: MemoryStore, takes: readonly Take[], ms: number): boolean =>
  store.take(takes, at(ms)).every((state) => state.isWithin);

/** Moments in order, some at once, some far apart. */
const moments = fc
  .array(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 50 }), fc.integer({ min: 0, max: 3000 })), {
    minLength: 1,
    maxLength: 200,
  })
  .map((gaps) => {
    let now = 0;
    return gaps.map((gap) => (now += gap));
  });

/** Most that passed in any stretch of this length. */
function mostWithin(times: readonly number[], lengthMs: number): number {
  return Math.max(0, ...times.map((start) => times.filter((time) => time >= start && time < start + lengthMs).length));
}

describe('MemoryStore', () => {
  it('never lets more than burst + requests·t/window pass in any time t by GCRA', () => {
    fc.assert(
      fc.property(
        moments,
        fc.integer({ min: 1, max: 20 }),
        fc.integer({ min: 1, max: 30 }),
        (times, requests, burst) => {
          const rate: Rate = { algorithm: 'GCRA', requests, windowMs: 1000, burst };
          const { store } = storeOf();
          const passed = times.filter((time) => passes(store, one(rate), time));
          for (const length of [1, 10, 100, 500, 1000, 3000]) {
            assert.ok(mostWithin(passed, length) <= burst + Math.ceil((requests * length) / 1000), `${length} ms`);
          }
        },
      ),
      { numRuns: 200 },
    );
  });

  it('never lets more than requests pass in any window by SlidingWindow', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 20 }), (times, requests) => {
        const rate: Rate = { algorithm: 'SlidingWindow', requests, windowMs: 1000 };
        const { store } = storeOf();
        const passed = times.filter((time) => passes(store, one(rate), time));
        assert.ok(mostWithin(passed, 1000) <= requests);
      }),
      { numRuns: 200 },
    );
  });

  it('never lets more than requests pass between two edges by FixedWindow', () => {
    fc.assert(
      fc.property(moments, fc.integer({ min: 1, max: 20 }), (times, requests) => {
        const rate: Rate = { algorithm: 'FixedWindow', requests, windowMs: 1000 };
        const { store } = storeOf();
        const passed = times.filter((time) => passes(store, one(rate), time));
        const byWindow = Map.groupBy(passed, (time) => Math.floor(time / 1000));
        assert.ok([...byWindow.values()].every((window) => window.length <= requests));
      }),
      { numRuns: 200 },
    );
  });

  for (const algorithm of ['GCRA', 'SlidingWindow', 'FixedWindow'] as const) {
    const rate: Rate =
      algorithm === 'GCRA'
        ? { algorithm, requests: 100, windowMs: 3_600_000, burst: 100 }
        : { algorithm, requests: 100, windowMs: 3_600_000 };

    it(`lets exactly 100 of 400 at once pass by ${algorithm}`, () => {
      const { store } = storeOf();
      assert.equal(Array.from({ length: 400 }, () => passes(store, one(rate), 5)).filter(Boolean).length, 100);
    });

    it(`takes all or none by ${algorithm}`, () => {
      const { store } = storeOf();
      const full: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 1000 };
      assert.equal(passes(store, one(full, 'full'), 0), true);
      for (let i = 0; i < 50; i += 1) assert.equal(passes(store, [...one(rate), ...one(full, 'full')], 0), false);
      assert.equal(store.take(one(rate), at(0))[0]?.remaining, 99);
    });

    it(`gives back what was taken by ${algorithm}`, () => {
      const { store } = storeOf();
      for (let i = 0; i < 100; i += 1) assert.equal(passes(store, one(rate), 0), true);
      assert.equal(passes(store, one(rate), 0), false);
      store.giveBack(one(rate), at(0));
      assert.equal(passes(store, one(rate), 0), true);
      assert.equal(passes(store, one(rate), 0), false);
    });

    it(`says how long to wait, and keeps the word, by ${algorithm}`, () => {
      const { store } = storeOf();
      for (let i = 0; i < 100; i += 1) passes(store, one(rate), 0);
      const wait = store.take(one(rate), at(0))[0]?.waitMs ?? 0;
      assert.ok(wait > 0);
      assert.equal(passes(store, one(rate), wait + 1), true);
    });
  }

  it('never gives back more than was taken', () => {
    const { store } = storeOf();
    const rate: Rate = { algorithm: 'GCRA', requests: 2, windowMs: 1000, burst: 2 };
    passes(store, one(rate), 0);
    for (let i = 0; i < 10; i += 1) store.giveBack(one(rate), at(0));
    assert.deepEqual(
      [1, 2, 3].map(() => passes(store, one(rate), 0)),
      [true, true, false],
    );
  });

  it('holds no more keys than it may, and drops an idle one before an offender', () => {
    const held = storeOf(100);
    const { store } = held;
    const rate: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 1_000_000 };
    const brief: Rate = { algorithm: 'GCRA', requests: 1000, windowMs: 1000, burst: 1000 };
    passes(store, one(rate, 'offender'), 0);
    for (let i = 0; i < 5000; i += 1) passes(store, one(brief, `key-${i}`), 10 * i);
    assert.ok(store.size <= 100);
    assert.equal(passes(store, one(rate, 'offender'), 50_000), false);
    assert.equal(held.evicted, 0);
  });

  it('counts every eviction of a key that still counted', () => {
    const held = storeOf(10);
    const rate: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 1_000_000 };
    for (let i = 0; i < 25; i += 1) passes(held.store, one(rate, `key-${i}`), 0);
    assert.deepEqual({ size: held.store.size, evicted: held.evicted }, { size: 10, evicted: 15 });
  });

  it('begins a key anew after its row was used by another', () => {
    const { store } = storeOf(1);
    const sliding: Rate = { algorithm: 'SlidingWindow', requests: 2, windowMs: 1000 };
    for (const key of ['a', 'b', 'c'])
      assert.deepEqual(
        [passes(store, one(sliding, key), 0), passes(store, one(sliding, key), 0), passes(store, one(sliding, key), 0)],
        [true, true, false],
        key,
      );
  });
});
