import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { isOddName } from '../policy/own-headers.ts';
import { embedded } from './check-request.fixture.ts';
import { readCheckRequest } from './wire.ts';
import type { WireHeaders } from './wire-headers.ts';
import { lowerAscii } from './wire-text.ts';

/** Names that differ in case, in few letters or beyond what is kept of words, and such as some upstreams take for another. */
const NAMES = [
  'x-a',
  'X-A',
  'x-b',
  'x_b',
  'x.b',
  'x-ab',
  'x-ba',
  'accept-language',
  'te',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded_port',
  `x-${'l'.repeat(40)}`,
  `X-${'l'.repeat(40)}`,
  'x-é',
  '',
];

interface Sent {
  readonly name: string;
  readonly value: string;
  readonly form: 'headers' | 'value' | 'raw_value';
}

const sent: fc.Arbitrary<Sent> = fc.record({
  name: fc.constantFrom(...NAMES),
  value: fc.constantFrom('', 'a', 'b', 'é', 'c'.repeat(200)),
  form: fc.constantFrom('headers', 'value', 'raw_value'),
});

function read(fields: readonly Sent[]): WireHeaders {
  const parts = fields.map(({ name, value, form }) => {
    const key = embedded(1, Buffer.from(name));
    const pair = Buffer.concat([key, embedded(form === 'raw_value' ? 3 : 2, Buffer.from(value))]);
    return form === 'headers' ? embedded(3, pair) : embedded(13, embedded(1, pair));
  });
  const request = readCheckRequest(embedded(1, embedded(4, embedded(2, Buffer.concat(parts)))));
  return request.headers as WireHeaders;
}

/** The same without any table, bit or view: lines in order, of which an entry takes the place of an earlier one. */
function modelOf(fields: readonly Sent[]): readonly (readonly [name: string, value: string])[] {
  const lines: [string, string][] = [];
  let hasLines = false;
  for (const { name, value, form } of fields) {
    hasLines ||= form !== 'headers';
    const lower = lowerAscii(name);
    const earlier = hasLines ? undefined : lines.find(([known]) => known === lower);
    if (earlier === undefined) lines.push([lower, value]);
    else earlier[1] = value;
  }
  return lines;
}

describe('WireHeaders', () => {
  it('holds each name once and all of its values, however it is spelt, in whatever order and form', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 40 }), (fields) => {
        const headers = read(fields);
        const lines = modelOf(fields);
        const names = [...new Set(lines.map(([name]) => name))];
        assert.deepEqual(headers.names(), names);
        assert.equal(headers.size, lines.length);
        for (const name of names) {
          const values = lines.filter(([known]) => known === name).map(([, value]) => value);
          assert.deepEqual(headers.get(name), values, name);
          assert.equal(headers.get(name), headers.get(name));
        }
        assert.equal(headers.get('x-absent'), undefined);
      }),
      { numRuns: 1000 },
    );
  });

  it('is plain only if no name is one that some upstreams take for another', () => {
    fc.assert(
      fc.property(fc.array(sent, { maxLength: 12 }), (fields) => {
        assert.equal(read(fields).arePlain, !fields.some(({ name }) => isOddName(name)));
      }),
      { numRuns: 500 },
    );
  });

  it('finds a name that is sent again though another took its place in the table of words', () => {
    // Whatever the table keeps of the names before: a hundred that share its slots come in between.
    const between = Array.from({ length: 100 }, (_, i): Sent => ({ name: `x-n${i}`, value: '', form: 'value' }));
    const first: Sent = { name: 'x-role', value: 'user', form: 'value' };
    for (let times = 0; times < 3; times += 1) {
      const headers = read([first, ...between, { ...first, value: 'admin' }]);
      assert.deepEqual(headers.get('x-role'), ['user', 'admin']);
      assert.equal(headers.names().length, 101);
    }
  });
});
