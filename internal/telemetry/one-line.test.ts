import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { oneLine } from './one-line.ts';

describe('oneLine()', () => {
  for (const [name, text] of [
    ['CR and LF', 'a\r\n{"forged":true}'],
    ['ESC', '\u001b[2J'],
    ['DEL and C1', '\u007f\u0085\u009b31m'],
    ['line and paragraph separators', 'a\u2028b\u2029c'],
    ['bidi overrides and isolates', '\u202ecod\u2066\u2069\u200f\u061c'],
    ['zero width and byte order marks', 'ad\u200bmin\ufeff\u00ad'],
    ['lone surrogates', '\ud800x\udc41'],
    ['tags', '\u{e0061}\u{e007f}'],
  ] as const) {
    it(`writes ${name} as escapes, and the record means the same`, () => {
      const line = oneLine(`${JSON.stringify({ path: text })}\n`);
      assert.match(line, /^[\x20-\x7e]*\n$/);
      assert.deepEqual(JSON.parse(line), { path: text });
    });
  }

  it('leaves ordinary words of any language readable', () => {
    const line = `${JSON.stringify({ path: '/größe/日本/😀' })}\n`;
    assert.equal(oneLine(line), line);
  });

  it('makes one line of any record, and the record means the same', () => {
    const text = fc.string({ unit: 'binary', maxLength: 64 });
    fc.assert(
      fc.property(
        fc.dictionary(
          text,
          fc.oneof(
            text,
            fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
          ),
        ),
        (record) => {
          const line = oneLine(`${JSON.stringify(record)}\n`);
          assert.equal(line.search(/[\r\n\u2028\u2029\u0085]/), line.length - 1);
          assert.ok(line.isWellFormed());
          assert.deepEqual(JSON.parse(line), JSON.parse(JSON.stringify(record)));
        },
      ),
    );
  });
});
