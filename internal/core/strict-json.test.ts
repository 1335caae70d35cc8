import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { parseStrictJson } from './strict-json.ts';

it('parseStrictJson() reads what has one reading', () => {
  fc.assert(
    fc.property(fc.json({ maxDepth: 6 }), (text) => {
      const parsed = parseStrictJson(text);
      if (parsed.ok) assert.deepEqual(parsed.value, JSON.parse(text));
      else assert.match(parsed.why, /repeats/);
    }),
    { numRuns: 500 },
  );
  assert.deepEqual(parseStrictJson(Buffer.from('{"a":[{"a":1},{"a":"}"}],"b":"a\\""}')), {
    ok: true,
    value: { a: [{ a: 1 }, { a: '}' }], b: 'a"' },
  });
});

it('parseStrictJson() refuses repeated members, depth, bad UTF-8 and anything that is not JSON', () => {
  const cases: readonly (readonly [string | Uint8Array, RegExp])[] = [
    ['{"role":"user","role":"admin"}', /repeats/],
    ['{"role":"user","r\\u006fle":"admin"}', /repeats/],
    ['{"a":{"b":1,"b":2}}', /repeats/],
    ['[{"a":[],"a":{}}]', /repeats/],
    ['{"__proto__":1,"__proto__":2}', /repeats/],
    ['['.repeat(65) + ']'.repeat(65), /deep/],
    ['{"a":1} {"a":2}', /not JSON/],
    ['\ufeff{}', /not JSON/],
    ['', /not JSON/],
    [new Uint8Array([0x22, 0xff, 0x22]), /UTF-8/],
    ['{"a":"\\ud800"}', /half/],
    ['{"\\udc00x":1}', /half/],
    ['["\ud800"]', /half/],
  ];
  for (const [input, why] of cases) {
    const parsed = parseStrictJson(input);
    assert.ok(!parsed.ok, String(input));
    assert.match(parsed.why, why);
  }
});

it('parseStrictJson() keeps __proto__ inert', () => {
  const parsed = parseStrictJson('{"__proto__":{"admin":true}}');
  assert.ok(parsed.ok);
  assert.equal((parsed.value as { admin?: unknown }).admin, undefined);
});
