import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { type JsonShape, scanJson } from './json-scan.ts';

const shapeOf = (text: string): JsonShape => scanJson(text, 20_000).shape;

it('scanJson() measures what limits are about', () => {
  assert.deepEqual(shapeOf('{"name":"a\\u0062\\n","list":[1,2,[3,-12345678901234567]],"o":{}}'), {
    depth: 3,
    values: 9,
    members: 3,
    items: 3,
    longestString: 3,
    longestName: 4,
    largestNumber: 12_345_678_901_234_568,
  });
  assert.deepEqual(shapeOf('"𝄞"').longestString, 2);
});

it('scanJson() measures no string longer for its escapes', () => {
  assert.equal(shapeOf('["\\u0061\\u0061", "bbb", "\\\\"]').longestString, 3);
});

it('scanJson() finds a large number however it is spelt', () => {
  const spellings = ['9007199254740993', '9007199254740993.0', '9.007199254740993e15', '9007199254740993E0', '1e20'];
  for (const text of spellings) assert.ok(shapeOf(`[${text}]`).largestNumber > Number.MAX_SAFE_INTEGER, text);
  for (const text of ['9007199254740991', '1.5', '-12', '123456789012345', '1e-9'])
    assert.ok(shapeOf(`[${text}]`).largestNumber <= Number.MAX_SAFE_INTEGER, text);
});

it('scanJson() agrees with a walk over what was parsed (property)', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 5 }), fc.constantFrom(undefined, 1, '\t'), (value, space) => {
      const shape = shapeOf(JSON.stringify(value, undefined, space));
      const walked = walk(value);
      const { depth, members, items, longestString, longestName } = shape;
      assert.deepEqual({ depth, members, items, longestString, longestName }, walked);
    }),
    { numRuns: 500 },
  );
});

type Walked = Pick<JsonShape, 'depth' | 'members' | 'items' | 'longestString' | 'longestName'>;

function walk(value: unknown): Walked {
  const found = { depth: 0, members: 0, items: 0, longestString: 0, longestName: 0 };
  if (typeof value === 'string') found.longestString = value.length;
  if (typeof value !== 'object' || value === null) return found;
  const inner = Object.values(value).map(walk);
  const most = (pick: (one: Walked) => number): number => Math.max(0, ...inner.map(pick));
  const size = Math.max(1, inner.length);
  return {
    depth: 1 + most(({ depth }) => depth),
    members: Math.max(
      most(({ members }) => members),
      Array.isArray(value) ? 0 : size,
    ),
    items: Math.max(
      most(({ items }) => items),
      Array.isArray(value) ? size : 0,
    ),
    longestString: most(({ longestString }) => longestString),
    longestName: Math.max(
      most(({ longestName }) => longestName),
      ...(Array.isArray(value) ? [] : Object.keys(value).map((name) => name.length)),
    ),
  };
}
