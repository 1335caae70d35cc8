import assert from 'node:assert/strict';
import { it } from 'node:test';
import { MAX_PARAMETERS, parseQuery } from './query.ts';

const entries = (query: string): unknown => {
  const parsed = parseQuery(query);
  return parsed && [...parsed];
};

it('parseQuery() keeps every value in order of arrival, decoded once', () => {
  assert.deepEqual(entries('a=1&b=%20x+y&a=2&&c&d=%3D&e=a=b&f=1;g=2'), [
    ['a', ['1', '2']],
    ['b', [' x y']],
    ['c', ['']],
    ['d', ['=']],
    ['e', ['a=b']],
    ['f', ['1;g=2']],
  ]);
  assert.deepEqual(entries(''), []);
  assert.deepEqual(entries('__proto__=1&constructor=2'), [
    ['__proto__', ['1']],
    ['constructor', ['2']],
  ]);
  assert.deepEqual(entries('x=%252e'), [['x', ['%2e']]]);
});

it('parseQuery() refuses a control character: an upstream that ends a text at NUL reads another value', () => {
  for (const query of ['a=admin%00', 'a%00=1', 'a=1&b=x%0Ay', 'a=%1f', 'a=%7F', 'a=%09', 'a=\0', 'a\t=1', 'a=\x7f'])
    assert.equal(parseQuery(query), undefined, JSON.stringify(query));
  assert.deepEqual(entries('a=%20%21%7e'), [['a', [' !~']]]);
  assert.deepEqual(entries('a=%2500&b=100'), [
    ['a', ['%00']],
    ['b', ['100']],
  ]);
});

it('parseQuery() refuses what is not percent-encoded UTF-8, and too many parameters', () => {
  for (const query of ['a=%zz', 'a=%', 'a=%c0%af', '%ff=1', 'a=%e2%82'])
    assert.equal(parseQuery(query), undefined, query);
  assert.equal(parseQuery('a=1&'.repeat(MAX_PARAMETERS + 1)), undefined);
  assert.equal(parseQuery('a=1&'.repeat(MAX_PARAMETERS))?.get('a')?.length, MAX_PARAMETERS);
});
