import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { MAX_JSON_VALUES, parseStrictJson } from './strict-json.ts';

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
    shape: { depth: 3, values: 6, members: 2, items: 2, longestString: 2, longestName: 1, largestNumber: 0 },
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
    ['['.repeat(1_000_000), /deep/],
    [`[${'{},'.repeat(350_000)}{}]`, /too many/],
    [`{"a":1,"a":1,"b":[${'0,'.repeat(20_000)}0]}`, /too many/],
    [`{"a":1,"a":1,"b":${'['.repeat(65)}`, /deep/],
    ['{"a":1,"a":1', /not JSON/],
    ['{"a', /not JSON/],
    ['{"a\\"', /not JSON/],
    ['{"\\x":1}', /not JSON/],
    [']]}{"a":1}', /not JSON/],
    ['{"a":1} {"a":2}', /not JSON/],
    ['\ufeff{}', /not JSON/],
    ['', /not JSON/],
    [new Uint8Array([0x22, 0xff, 0x22]), /UTF-8/],
    ['{"a":"\\ud800"}', /half/],
    ['{"\\udc00x":1}', /half/],
    ['["\ud800"]', /half/],
    ['{"a":1e400}', /too large/],
    ['[-1E+999]', /too large/],
    [`[${'9'.repeat(400)}]`, /too large/],
  ];
  for (const [input, why] of cases) {
    const parsed = parseStrictJson(input);
    assert.ok(!parsed.ok, String(input));
    assert.match(parsed.why, why);
  }
});

it('parseStrictJson() reads 20,000 values and no more', () => {
  const list = (length: number): string => `[${Array.from({ length }, (_, i) => i).join()}]`;
  assert.equal(parseStrictJson(list(MAX_JSON_VALUES)).ok, true);
  assert.equal(parseStrictJson(list(MAX_JSON_VALUES + 1)).ok, false);
  const members = (length: number): string => `{${Array.from({ length }, (_, i) => `"${i}":1`).join()}}`;
  assert.equal(parseStrictJson(members(MAX_JSON_VALUES)).ok, true);
  assert.equal(parseStrictJson(members(MAX_JSON_VALUES + 1)).ok, false);
});

it('parseStrictJson() builds nothing of text that is too deep or too large', (t) => {
  const parse = t.mock.method(JSON, 'parse');
  for (const text of ['['.repeat(1000), `[${'{},'.repeat(20_000)}{}]`]) parseStrictJson(text);
  assert.equal(parse.mock.callCount(), 0);
});

it('parseStrictJson() refuses what JSON.parse() refuses, whatever is in it (property)', () => {
  const piece = fc.constantFrom(
    '-',
    '1e9',
    '1e400',
    '.5',
    '{',
    '}',
    '[',
    ']',
    ',',
    ':',
    '"',
    '\\',
    '"a"',
    '"a":1',
    'u0041',
    '\\u',
    '1',
    ' ',
    '\n',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 20 }), (pieces) => {
      const text = pieces.join('');
      const parsed = parseStrictJson(text);
      let value: unknown;
      try {
        value = JSON.parse(text);
      } catch {
        assert.deepEqual(parsed, { ok: false, why: 'the text is not JSON' });
        return;
      }
      if (parsed.ok) assert.deepEqual(parsed.value, value);
      else assert.match(parsed.why, /repeats|half|too large/);
    }),
    { numRuns: 2000 },
  );
});

it('parseStrictJson() keeps __proto__ inert', () => {
  const parsed = parseStrictJson('{"__proto__":{"admin":true}}');
  assert.ok(parsed.ok);
  assert.equal((parsed.value as { admin?: unknown }).admin, undefined);
});
