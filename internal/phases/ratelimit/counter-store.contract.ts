import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import type { CounterStore, Moment, Rate, Take } from './counter-store.ts';

export const at = (ms: number): Moment => ({ monotonicMs: ms, wallMs: ms });
export const one = (rate: Rate, key = 'k', cost = 1, namespace = 'shop'): Take[] => [
  { key, rate, cost, namespace, tag: 0 },
];

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

async function passes(store: CounterStore, takes: readonly Take[], ms: number): Promise<boolean> {
  return (await store.take(takes, at(ms))).every((state) => state.isWithin);
}

async function passedOf(store: CounterStore, rate: Rate, times: readonly number[]): Promise<number[]> {
  const passed: number[] = [];
  for (const time of times) if (await passes(store, one(rate), time)) passed.push(time);
  return passed;
}

/** What every place where counters live owes rate limits. `create` gives an empty one with room for a thousand keys. */
export function counterStoreContract(create: () => CounterStore, numRuns = 200): void {
  it('never lets more than burst + requests·t/window pass in any time t by GCRA', async () => {
    const numbers = [fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 30 })] as const;
    await fc.assert(
      fc.asyncProperty(moments, ...numbers, async (times, requests, burst) => {
        const passed = await passedOf(create(), { algorithm: 'GCRA', requests, windowMs: 1000, burst }, times);
        for (const length of [1, 10, 100, 500, 1000, 3000])
          assert.ok(mostWithin(passed, length) <= burst + Math.ceil((requests * length) / 1000), `${length} ms`);
      }),
      { numRuns },
    );
  });

  it('never lets more than requests pass in any window by SlidingWindow', async () => {
    await fc.assert(
      fc.asyncProperty(moments, fc.integer({ min: 1, max: 20 }), async (times, requests) => {
        const passed = await passedOf(create(), { algorithm: 'SlidingWindow', requests, windowMs: 1000 }, times);
        assert.ok(mostWithin(passed, 1000) <= requests);
      }),
      { numRuns },
    );
  });

  it('never lets more than requests pass between two edges by FixedWindow', async () => {
    await fc.assert(
      fc.asyncProperty(moments, fc.integer({ min: 1, max: 20 }), async (times, requests) => {
        const passed = await passedOf(create(), { algorithm: 'FixedWindow', requests, windowMs: 1000 }, times);
        const byWindow = Map.groupBy(passed, (time) => Math.floor(time / 1000));
        assert.ok([...byWindow.values()].every((window) => window.length <= requests));
      }),
      { numRuns },
    );
  });

  for (const algorithm of ['GCRA', 'SlidingWindow', 'FixedWindow'] as const) {
    const rate: Rate =
      algorithm === 'GCRA'
        ? { algorithm, requests: 100, windowMs: 3_600_000, burst: 100 }
        : { algorithm, requests: 100, windowMs: 3_600_000 };

    it(`lets exactly 100 of 400 at once pass by ${algorithm}`, async () => {
      const store = create();
      const answers = await Promise.all(Array.from({ length: 400 }, () => passes(store, one(rate), 5)));
      assert.equal(answers.filter(Boolean).length, 100);
    });

    it(`takes all or none by ${algorithm}`, async () => {
      const store = create();
      const full: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 1000 };
      assert.equal(await passes(store, one(full, 'full'), 0), true);
      for (let i = 0; i < 50; i += 1) assert.equal(await passes(store, [...one(rate), ...one(full, 'full')], 0), false);
      assert.equal((await store.take(one(rate), at(0)))[0]?.remaining, 99);
    });

    it(`only asks at no cost, by ${algorithm}`, async () => {
      const store = create();
      await store.take(one(rate, 'k', 40), at(0));
      const asked = [await store.take(one(rate, 'k', 0), at(0)), await store.take(one(rate, 'k', 0), at(0))];
      assert.deepEqual(
        asked.map(([state]) => [state?.isWithin, state?.remaining]),
        [
          [true, 60],
          [true, 60],
        ],
      );
    });

    it(`gives back what was taken by ${algorithm}`, async () => {
      const store = create();
      for (let i = 0; i < 100; i += 1) assert.equal(await passes(store, one(rate), 0), true);
      assert.equal(await passes(store, one(rate), 0), false);
      await store.giveBack(one(rate), at(0));
      assert.equal(await passes(store, one(rate), 0), true);
      assert.equal(await passes(store, one(rate), 0), false);
    });

    it(`never gives back more than was taken by ${algorithm}`, async () => {
      const store = create();
      await store.take(one(rate), at(0));
      for (let i = 0; i < 10; i += 1) await store.giveBack(one(rate), at(0));
      const answers = await Promise.all(Array.from({ length: 110 }, () => passes(store, one(rate), 0)));
      assert.equal(answers.filter(Boolean).length, 100);
    });

    it(`says how long to wait, and keeps the word, by ${algorithm}`, async () => {
      const store = create();
      for (let i = 0; i < 100; i += 1) await store.take(one(rate), at(0));
      const wait = (await store.take(one(rate), at(0)))[0]?.waitMs ?? 0;
      assert.ok(wait > 0);
      assert.equal(await passes(store, one(rate), wait + 1), true);
    });
  }
}
