import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import {
  embedded,
  expected,
  isWireError,
  type Json,
  json,
  request,
  said,
  unknownField,
} from './check-request.fixture.ts';
import { MAX_STRUCT_DEPTH, MAX_STRUCT_VALUES } from './struct-reader.ts';
import { A_REQUEST, decodeRequest, encodeRequest } from './wire.fixture.ts';
import { type CheckRequest, readCheckRequest } from './wire.ts';
import { MAX_EXTENSIONS } from './wire-extensions.ts';
import { MAX_HEADERS } from './wire-headers.ts';

describe('readCheckRequest()', () => {
  it('reads what the official loader reads', () => {
    fc.assert(
      fc.property(request, (message) => {
        const bytes = encodeRequest(message);
        assert.deepEqual(said(readCheckRequest(bytes)), expected(decodeRequest(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it('passes over unknown fields, wherever they are', () => {
    fc.assert(
      fc.property(request, fc.array(unknownField, { maxLength: 5 }), (message, unknown) => {
        const bytes = encodeRequest(message);
        const extra = Buffer.concat(unknown);
        const hasAttributes = message.attributes !== undefined;
        const mixed = Buffer.concat([extra, bytes, ...(hasAttributes ? [embedded(1, extra)] : []), extra]);
        assert.deepEqual(said(readCheckRequest(mixed)), said(readCheckRequest(bytes)));
      }),
      { numRuns: 200 },
    );
  });

  it('merges messages that are sent in pieces, the last scalar counting', () => {
    fc.assert(
      fc.property(request, request, (first, second) => {
        const pieces = Buffer.concat([encodeRequest(first), encodeRequest(second)]);
        const whole = merged(first as Json, second as Json);
        // With both forms the order of values is that of the fields, which the loader's objects do not tell.
        fc.pre(!hasBothHeaderForms(whole));
        let read: object;
        try {
          read = said(readCheckRequest(pieces));
        } catch (error) {
          assert.ok(isWireError(error) && hasTwoBodies(whole));
          return;
        }
        assert.deepEqual(read, expected(decodeRequest(encodeRequest(whole))));
      }),
      { numRuns: 200 },
    );
  });

  it('throws nothing but ERR_POSTERN_WIRE, whatever the bytes', () => {
    const mutated = fc
      .tuple(request, fc.array(fc.tuple(fc.nat(), fc.nat(255), fc.nat(2)), { maxLength: 6 }))
      .map(([message, edits]) => {
        let bytes = encodeRequest(message);
        for (const [at, byte, kind] of edits) {
          const place = bytes.length === 0 ? 0 : at % bytes.length;
          if (kind === 0) bytes[place] = byte;
          else if (kind === 1) bytes = bytes.subarray(0, place);
          else bytes = Buffer.concat([bytes.subarray(0, place), Buffer.from([byte]), bytes.subarray(place)]);
        }
        return bytes;
      });
    const anything = fc.oneof(mutated, fc.uint8Array({ maxLength: 200 }));
    fc.assert(
      fc.property(anything, (bytes) => {
        try {
          said(readCheckRequest(bytes));
        } catch (error) {
          assert.ok(isWireError(error), String(error));
        }
      }),
      { numRuns: 1500 },
    );
  });

  it('reads an empty message as one without HTTP', () => {
    const empty = readCheckRequest(new Uint8Array());
    assert.equal(empty.hasHttp, false);
    assert.equal(empty.method, '');
    assert.equal(empty.routeMetadata(), undefined);
    assert.deepEqual(empty.metadata(), Object.create(null));
  });

  it('reads the same from a view into a larger buffer', () => {
    const bytes = encodeRequest(A_REQUEST);
    const larger = new Uint8Array(bytes.length + 20).fill(0xff);
    larger.set(bytes, 10);
    const view = larger.subarray(10, 10 + bytes.length);
    assert.deepEqual(said(readCheckRequest(view)), said(readCheckRequest(bytes)));
  });

  const http = (fields: object): CheckRequest =>
    readCheckRequest(encodeRequest({ attributes: { request: { http: fields } } }));

  it('keeps repeated lines of header_map apart, and says that nothing was joined', () => {
    const { headers } = http({
      header_map: {
        headers: [
          { key: 'x-role', value: 'user' },
          { key: 'X-Role', raw_value: Buffer.from('admin') },
        ],
      },
    });
    assert.deepEqual(headers.get('x-role'), ['user', 'admin']);
    assert.deepEqual(headers.names(), ['x-role']);
    assert.equal(headers.isJoined, false);
  });

  it('keeps no blank around a value, in either form: an upstream does not see it', () => {
    for (const sent of ['admin ', ' admin', '\tadmin', ' \t admin\t ']) {
      assert.deepEqual(http({ headers: { 'x-role': sent } }).headers.get('x-role'), ['admin'], JSON.stringify(sent));
      for (const line of [{ value: sent }, { raw_value: Buffer.from(sent) }]) {
        const { headers } = http({ header_map: { headers: [{ key: 'x-role', ...line }] } });
        assert.deepEqual(headers.get('x-role'), ['admin'], JSON.stringify(sent));
      }
    }
    assert.deepEqual(http({ headers: { 'x-role': ' a b ' } }).headers.get('x-role'), ['a b']);
    assert.deepEqual(http({ headers: { 'x-blank': ' \t' } }).headers.get('x-blank'), ['']);
  });

  it('keeps blanks that HTTP does not know', () => {
    for (const value of ['\u00a0a', 'a\u2003', '\va\f'])
      assert.deepEqual(http({ headers: { 'x-role': value } }).headers.get('x-role'), [value]);
  });

  it('reads a header without a value in either form as empty text', () => {
    assert.deepEqual(http({ headers: { 'x-empty': '' } }).headers.get('x-empty'), ['']);
    assert.deepEqual(http({ header_map: { headers: [{ key: 'x-empty' }] } }).headers.get('x-empty'), ['']);
  });

  it('takes the last of equal keys of the headers map, as protobuf has it', () => {
    const twice = Buffer.concat([
      encodeRequest({ attributes: { request: { http: { headers: { 'x-role': 'user' } } } } }),
      encodeRequest({ attributes: { request: { http: { headers: { 'x-role': 'admin' } } } } }),
    ]);
    assert.deepEqual(readCheckRequest(twice).headers.get('x-role'), ['admin']);
  });

  it('counts every value, as joined, should a message carry both header forms', () => {
    const { headers } = http({
      headers: { 'x-role': 'user' },
      header_map: { headers: [{ key: 'x-role', value: 'admin' }] },
    });
    assert.deepEqual(headers.get('x-role'), ['user', 'admin']);
    assert.equal(headers.isJoined, true);
  });

  it('keeps bytes that are not UTF-8 apart from each other and from text', () => {
    const value = (...bytes: number[]) =>
      http({ header_map: { headers: [{ key: 'x', raw_value: Buffer.from(bytes) }] } }).headers.get('x')?.[0];
    assert.equal(value(0xff), '\udcff');
    assert.equal(value(0x61, 0xfe, 0x62), 'a\udcfeb');
    assert.equal(value(0xc3, 0xa9, 0xc3), 'é\udcc3');
    assert.equal(value(0xed, 0xa0, 0x80), '\udced\udca0\udc80');
    assert.equal(value(0xc0, 0xaf), '\udcc0\udcaf');
    assert.equal(value(0xf0, 0x9f, 0x98, 0x80, 0xf5), '😀\udcf5');
    assert.equal(value(0xef, 0xbb, 0xbf, 0x61), '\ufeffa');
  });

  it('gives a pipe as the address of a peer without a socket', () => {
    const bytes = encodeRequest({ attributes: { source: { address: { pipe: { path: '/run/client.sock' } } } } });
    assert.equal(readCheckRequest(bytes).source.address, '/run/client.sock');
  });

  it('lets the last member of a peer address count', () => {
    const socket = encodeRequest({ attributes: { source: { address: { socket_address: { address: '192.0.2.7' } } } } });
    const pipe = encodeRequest({ attributes: { source: { address: { pipe: {} } } } });
    assert.equal(readCheckRequest(Buffer.concat([socket, pipe])).source.address, '');
    assert.equal(readCheckRequest(Buffer.concat([pipe, socket])).source.address, '192.0.2.7');
  });

  it('gives metadata without prototypes', () => {
    const fields = { ['__proto__']: { stringValue: 'a' }, constructor: { numberValue: 1 } };
    const bytes = encodeRequest({ attributes: { metadata_context: { filter_metadata: { f: { fields } } } } });
    const filter = readCheckRequest(bytes).metadata().f;
    assert.equal(Object.getPrototypeOf(filter), null);
    assert.equal((filter as Json).constructor, 1);
    assert.equal((filter as Json).toString, undefined);
  });

  it('decodes metadata once', () => {
    const bytes = encodeRequest({ attributes: { route_metadata_context: { filter_metadata: { f: { fields: {} } } } } });
    const read = readCheckRequest(bytes);
    assert.equal(read.routeMetadata(), read.routeMetadata());
  });

  describe('refuses', () => {
    const refuses = (bytes: Uint8Array | number[]): void => {
      assert.throws(() => said(readCheckRequest(Uint8Array.from(bytes))), isWireError);
    };

    it('a field with the number 0', () => refuses([0x02, 0x00]));
    it('groups', () => {
      refuses([0x0b, 0x0c]);
      refuses([0x0c]);
    });
    it('wire types that do not exist', () => {
      refuses([0x0e]);
      refuses([0x0f]);
    });
    it('a tag of more than 32 bits', () => refuses([0x8a, 0x80, 0x80, 0x80, 0x10, 0x00]));
    it('a length of more than 32 bits', () => refuses([0x0a, 0x80, 0x80, 0x80, 0x80, 0x10]));
    it('a number of more than ten bytes', () => refuses([0x80, 0x05, ...Array.from({ length: 10 }, () => 0x80), 0x00]));
    it('a length that goes beyond the message', () => refuses([0x0a, 0x05, 0x00]));
    it('an embedded message that goes beyond the one around it', () =>
      refuses([0x0a, 0x02, 0x22, 0x05, 0, 0, 0, 0, 0]));
    it('a fixed number that is cut', () => refuses([0x09, 0, 0, 0]));
    it('every cut through a header', () => {
      const bytes = encodeRequest({ attributes: { request: { http: { headers: { accept: 'text/html' } } } } });
      for (let length = 1; length < bytes.length; length += 1) refuses(bytes.subarray(0, length));
    });
    it('two bodies', () =>
      refuses(encodeRequest({ attributes: { request: { http: { body: 'a', raw_body: Buffer.from('b') } } } })));
    it(`more than ${MAX_HEADERS} header fields`, () => {
      const headers = Array.from({ length: MAX_HEADERS + 1 }, (_, i) => ({ key: `x-${i}`, value: '' }));
      refuses(encodeRequest({ attributes: { request: { http: { header_map: { headers } } } } }));
    });
    it(`more than ${MAX_HEADERS} entries of headers, also of one name`, () => {
      const entry = embedded(3, Buffer.concat([embedded(1, Buffer.from('x-a')), embedded(2, Buffer.from('1'))]));
      const sent = (count: number): Buffer =>
        embedded(1, embedded(4, embedded(2, Buffer.concat(Array.from({ length: count }, () => entry)))));
      assert.deepEqual(readCheckRequest(sent(MAX_HEADERS)).headers.get('x-a'), ['1']);
      refuses(sent(MAX_HEADERS + 1));
    });
    it(`more than ${MAX_EXTENSIONS} context extensions`, () => {
      const keys = Array.from({ length: MAX_EXTENSIONS + 1 }, (_, i) => [`k${i}`, '']);
      refuses(encodeRequest({ attributes: { context_extensions: Object.fromEntries(keys) } }));
    });
    it('metadata that is too deep', () => {
      // Value.bool_value, in Value.struct_value.fields['a'], and so on, in filter_metadata['f'].fields['a'].
      let value: Buffer = Buffer.from([0x20, 0x01]);
      const entry = () => embedded(1, Buffer.concat([embedded(1, Buffer.from('a')), embedded(2, value)]));
      for (let i = 0; i < MAX_STRUCT_DEPTH; i += 1) value = embedded(5, entry());
      const filter = embedded(1, Buffer.concat([embedded(1, Buffer.from('f')), embedded(2, entry())]));
      const bytes = embedded(1, embedded(11, filter));
      assert.throws(() => readCheckRequest(bytes).metadata(), isWireError);
    });
    it('metadata of too many keys without a value', () => {
      const sent = (count: number): Buffer => {
        const keys = Array.from({ length: count }, (_, i) => embedded(1, embedded(1, Buffer.from(`k${i}`))));
        const filter = Buffer.concat([embedded(1, Buffer.from('f')), embedded(2, Buffer.concat(keys))]);
        return embedded(1, embedded(11, embedded(1, filter)));
      };
      // The filter itself counts as well.
      const most = readCheckRequest(sent(MAX_STRUCT_VALUES - 1)).metadata();
      assert.equal(Object.keys(most.f ?? {}).length, MAX_STRUCT_VALUES - 1);
      assert.throws(() => readCheckRequest(sent(MAX_STRUCT_VALUES)).metadata(), isWireError);
    });
    it('metadata of too many values', () => {
      const values = Array.from({ length: MAX_STRUCT_VALUES + 1 }, () => ({ numberValue: 1 }));
      const fields = { a: { listValue: { values } } };
      const bytes = encodeRequest({ attributes: { metadata_context: { filter_metadata: { f: { fields } } } } });
      assert.throws(() => readCheckRequest(bytes).metadata(), isWireError);
    });
  });

  it('takes known fields of the wrong wire type for unknown ones', () => {
    const bytes = Buffer.from([0x08, 0x01, 0x0a, 0x06, 0x22, 0x04, 0x12, 0x02, 0x10, 0x07]);
    const read = readCheckRequest(bytes);
    assert.equal(read.hasHttp, true);
    assert.equal(read.method, '');
  });

  it('reads sizes of 64 bits and negative ones', () => {
    assert.equal(http({ size: 5_000_000_000 }).size, 5_000_000_000);
    assert.equal(http({ size: -1 }).size, -1);
  });
});

function hasBothHeaderForms(message: Json): boolean {
  const fields = json(json(json(message.attributes).request).http);
  return fields.headers !== undefined && fields.header_map !== undefined;
}

function hasTwoBodies(message: Json): boolean {
  const fields = json(json(json(message.attributes).request).http);
  return String(fields.body ?? '') !== '' && ((fields.raw_body as Buffer | undefined)?.length ?? 0) > 0;
}

/** Protobuf's merge on the loader's objects: messages and maps member by member, lists joined, of all else the last. */
function merged(first: unknown, second: unknown): Json {
  const whole: Json = { ...(first as Json) };
  for (const [key, value] of Object.entries(second as Json)) whole[key] = mergedField(key, whole[key], value);
  return whole;
}

/** Members of one oneof, and maps, whose entries replace each other whole. */
const REPLACED = new Set(['filter_metadata', 'headers', 'context_extensions']);

function mergedField(key: string, before: unknown, value: unknown): unknown {
  if (before === undefined || typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return [...(before as unknown[]), ...value];
  if (REPLACED.has(key)) return { ...(before as Json), ...(value as Json) };
  if (key === 'address') return mergedAddress(before as Json, value as Json);
  return merged(before, value);
}

function mergedAddress(before: Json, value: Json): Json {
  const member = Object.keys(value)[0];
  if (member === undefined) return before;
  return { [member]: merged(before[member] ?? {}, value[member]) };
}
