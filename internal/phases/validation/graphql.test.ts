import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { measureGraphql, measureRequests } from './graphql.ts';

const measure = (text: string): unknown => {
  const shape = measureGraphql(text);
  return 'reason' in shape ? shape.rule : [shape.graphqlDepth, shape.graphqlAliases];
};

describe('measureGraphql()', () => {
  it('measures fields in each other and aliases', () => {
    assert.deepEqual(measure('{a}'), [1, 0]);
    assert.deepEqual(
      measure('query Q($a: [Int!] = [1, {b: {c: 2}}]) @x(y: {z: 1}) { a: b(c: {d: {e: "}"}}) { f @g { h } } }'),
      [3, 1],
    );
    assert.deepEqual(measure('# {{{\n{ a(b: """ }}} \\""" {{{ """) { b }, c(d: "\\"{") }'), [2, 0]);
    assert.deepEqual(measure('mutation { fragment { on { query } } }'), [3, 0]);
  });

  it('takes the dearest of several operations', () => {
    assert.deepEqual(measure('query A { a { b { c } } } query B { x: a, y: a, z: a }'), [3, 3]);
  });

  it('takes in fragments, in line or not, each time (a chain hides no depth, a fan no aliases)', () => {
    assert.deepEqual(measure('{ a { ...F } } fragment F on T { b { ...G } } fragment G on T { c { d } }'), [4, 0]);
    assert.deepEqual(measure('{ a { ... on T { b } ... @include(if: true) { c { d } } } }'), [3, 0]);
    const fan = `{ ...F0 ...F0 } ${Array.from({ length: 60 }, (_, i) => `fragment F${i} on T { ...F${i + 1} ...F${i + 1} }`).join(' ')} fragment F60 on T { x: a }`;
    assert.deepEqual(measure(fan), [1, 2 ** 61]);
  });

  it('takes no document that goes round, or is none', () => {
    const wrong = [
      '',
      '{}',
      '{a',
      'a}',
      '{a}}',
      '{a{}}',
      '{a:}',
      '{a(}',
      '{a(b: [)]}',
      '{"a"}',
      'type T { a: Int }',
      '{a} extend type T { b: Int }',
      'fragment F on T { a }',
      '{...F} fragment F on T { ...F }',
      '{...F} fragment F on T { a { ...G } } fragment G on T { ...F }',
      '{a} fragment F on T {a} fragment F on T {b}',
      '{a(b: "x)}',
      '{a(b: """x)}',
      '{ä}',
      '{a}\u0000',
      '{a(b: 01)}',
    ];
    for (const text of wrong) assert.equal(measure(text), 'graphql', text);
  });

  it('reads no more than it may, in time linear in the text', () => {
    const large = 1_000_000;
    const texts = [
      '{'.repeat(large),
      '{a'.repeat(large / 2),
      `{a(b:${'['.repeat(large)}`,
      `{${'a '.repeat(large / 2)}}`,
      `#${'#\n'.repeat(large / 2)}`,
      `{a(b:"${'\\"'.repeat(large / 2)}`,
      `{a(b:"""${'\\"""'.repeat(large / 4)}`,
      `${' '.repeat(large)}`,
      `{a${'@b'.repeat(large / 2)}}`,
      `{${'...F '.repeat(large / 5)}}`,
    ];
    for (const text of texts) {
      const start = performance.now();
      assert.equal(typeof measure(text), 'string', text.slice(0, 20));
      assert.ok(performance.now() - start < 2000, text.slice(0, 20));
    }
  });
});

describe('measureRequests()', () => {
  const requests = (value: unknown): unknown => {
    const shape = measureRequests(value);
    return 'reason' in shape ? shape.rule : [shape.graphqlDepth, shape.graphqlAliases];
  };

  it('adds up aliases of a batch', () => {
    assert.deepEqual(requests([{ query: '{a: b {c}}' }, { query: '{a: b}' }]), [2, 2]);
  });

  it('measures nothing of a stored document, and takes nothing else for a request', () => {
    assert.deepEqual(requests({ id: 'x', query: null }), [0, 0]);
    for (const value of ['{a}', 1, null, [['{a}']], { query: 1 }, { query: ['{a}'] }])
      assert.equal(requests(value), 'graphql');
  });

  it('reads no more of a batch than of one request', () => {
    assert.equal(requests(Array.from({ length: 1000 }, () => ({ query: `{${'a '.repeat(100)}}` }))), 'graphqlDepth');
  });
});
