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

  it('keeps an idle key for a second while there is room, and lets it go with the next new one after that', () => {
    const { store } = storeOf();
    const brief: Rate = { algorithm: 'GCRA', requests: 1000, windowMs: 1000, burst: 1000 };
    passes(store, one(brief, 'a'), 0);
    passes(store, one(brief, 'b'), 900);
    assert.equal(store.size, 2);
    passes(store, one(brief, 'c'), 2000);
    assert.equal(store.size, 1);
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

  const DAY: Rate = { algorithm: 'FixedWindow', requests: 1, windowMs: 86_400_000 };

  it('lets no flood of keys of one namespace begin a counter of another anew', () => {
    const { store } = storeOf(100);
    for (let i = 0; i < 50; i += 1) passes(store, one(DAY, `bank-${i}`, 1, 'bank'), 0);
    for (let i = 0; i < 5000; i += 1) passes(store, one(DAY, `evil-${i}`, 1, 'evil'), 10 + i);
    // Those that refuse now are spared whatever happens: so they are only asked, and not refused.
    const asked = Array.from({ length: 50 }, (_, i) => store.take(one(DAY, `bank-${i}`, 0, 'bank'), at(9000))[0]);
    assert.deepEqual(new Set(asked.map((state) => state?.remaining)), new Set([0]));
    assert.equal(store.size, 100);
  });

  it('takes room for who comes late from who has more than its share, down to it and no further', () => {
    const { store } = storeOf(100);
    const isKept = (namespace: string, i: number): boolean =>
      store.take(one(DAY, `${namespace}-${i}`, 0, namespace), at(9000))[0]?.remaining === 0;
    const keptOf = (namespace: string, count: number): number =>
      Array.from({ length: count }, (_, i) => isKept(namespace, i)).filter(Boolean).length;
    for (let i = 0; i < 300; i += 1) passes(store, one(DAY, `evil-${i}`, 1, 'evil'), i);
    for (const namespace of ['bank', 'shop'])
      for (let i = 0; i < 30; i += 1) passes(store, one(DAY, `${namespace}-${i}`, 1, namespace), 1000 + i);
    assert.deepEqual([keptOf('evil', 300), keptOf('bank', 30), keptOf('shop', 30)], [40, 30, 30]);
    for (let i = 30; i < 300; i += 1) passes(store, one(DAY, `bank-${i}`, 1, 'bank'), 2000 + i);
    assert.deepEqual([keptOf('evil', 300), keptOf('bank', 300), keptOf('shop', 30)], [35, 35, 30]);
  });

  it('spares who refuses among the keys of the namespace that is over its share', () => {
    const { store } = storeOf(100);
    passes(store, one(DAY, 'evil-offender', 1, 'evil'), 0);
    assert.equal(passes(store, one(DAY, 'evil-offender', 1, 'evil'), 0), false);
    for (let i = 0; i < 500; i += 1) passes(store, one(DAY, `evil-${i}`, 1, 'evil'), i);
    for (let i = 0; i < 50; i += 1) passes(store, one(DAY, `bank-${i}`, 1, 'bank'), 600);
    assert.equal(passes(store, one(DAY, 'evil-offender', 1, 'evil'), 700), false);
  });
});
