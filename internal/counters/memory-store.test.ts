import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { at, counterStoreContract, one } from '../phases/ratelimit/counter-store.contract.ts';
import type { Rate, Take } from '../phases/ratelimit/counter-store.ts';
import { MemoryStore } from './memory-store.ts';

const storeOf = (maxKeys = 1000): { readonly store: MemoryStore; evicted: number } => {
  const held = { evicted: 0, store: undefined as unknown as MemoryStore };
  held.store = new MemoryStore({ maxKeys, onEvict: () => (held.evicted += 1) });
  return held;
};
const passes = (store: MemoryStore, takes: readonly Take[], ms: number): boolean =>
  store.take(takes, at(ms)).every((state) => state.isWithin);

describe('MemoryStore', () => {
  counterStoreContract(() => storeOf().store);

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
