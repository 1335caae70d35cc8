import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { KEY_BYTES, writeKey } from './key-bytes.ts';
import { KeyIndex } from './key-index.ts';

const ROWS = 512;

/** An index over rows of one page of keys. */
function indexOf(seed: number): { readonly index: KeyIndex; readonly keys: Uint8Array } {
  const keys = new Uint8Array(ROWS * KEY_BYTES);
  return { index: new KeyIndex({ bytesOf: () => keys, placeOf: (row) => row }, seed), keys };
}

describe('KeyIndex', () => {
  it('finds what a map would find, however rows come and go', () => {
    const names = fc.nat({ max: ROWS - 1 }).map((number) => `key-${number}`);
    const steps = fc.array(fc.tuple(fc.boolean(), names), { maxLength: 1500 });
    fc.assert(
      fc.property(steps, fc.nat(), (all, seed) => {
        const { index, keys } = indexOf(seed);
        const model = new Map<string, number>();
        const free = Array.from({ length: ROWS }, (_, row) => row);
        for (const [isAdded, key] of all) {
          const known = model.get(key);
          if (isAdded && known === undefined) {
            const row = free.pop() ?? 0;
            writeKey(keys, row * KEY_BYTES, key);
            index.add(row);
            model.set(key, row);
          } else if (!isAdded && known !== undefined) {
            index.remove(known);
            model.delete(key);
            free.push(known);
          }
        }
        assert.equal(index.size, model.size);
        for (let number = 0; number < ROWS; number += 1)
          assert.equal(index.find(`key-${number}`), model.get(`key-${number}`) ?? -1);
      }),
      { numRuns: 200 },
    );
  });

  it('refuses a key that would not be the same when it is read', () => {
    const { keys } = indexOf(1);
    assert.throws(() => writeKey(keys, 0, 'k'.repeat(KEY_BYTES)), /48 characters, at most 47/);
    assert.throws(() => writeKey(keys, 0, 'schlüssel'), /not ASCII/);
  });
});
