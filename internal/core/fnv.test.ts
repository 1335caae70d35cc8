import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { fnv1a, fnv1aOfBytes } from './fnv.ts';

const ascii = fc.string({ unit: 'binary-ascii', maxLength: 64 });

it('fnv1a() gives text and its bytes the same place, wherever in a page they lie', () => {
  fc.assert(
    fc.property(ascii, fc.nat({ max: 16 }), fc.integer(), (text, at, seed) => {
      const page = Buffer.concat([Buffer.alloc(at, 1), Buffer.from(text, 'latin1'), Buffer.alloc(3, 2)]);
      assert.equal(fnv1aOfBytes(page, at, at + text.length, seed), fnv1a(text, seed));
    }),
  );
});

it('fnv1a() spreads keys that differ in a letter, at whichever place, over all slots', () => {
  const slots = 1024;
  for (let place = 0; place < 40; place += 1) {
    const taken = new Set<number>();
    for (let n = 0; n < 4 * slots; n += 1) {
      const number = n.toString(36).padStart(4, '0');
      const key = `${'k'.repeat(place)}${number}${'k'.repeat(40 - place)}`;
      taken.add(fnv1a(key, 0x811c_9dc5) & (slots - 1));
    }
    // Of four throws for each slot about one in fifty-five slots stays empty.
    assert.ok(taken.size > 0.95 * slots, `${taken.size} of ${slots} slots, by place ${place}`);
  }
});
