// What the official loader never writes, and anybody may send: every spelling that protobuf has of the same message.
import assert from 'node:assert/strict';
import { isUtf8 } from 'node:buffer';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { embedded, isWireError, request, said } from './check-request.fixture.ts';
import { encodeRequest } from './wire.fixture.ts';
import { readCheckRequest } from './wire.ts';

/** Where messages lie in each other, by field number; of all other fields of bytes nothing is known. */
interface Shape {
  readonly [field: number]: Shape;
}

const LEAF: Shape = {};
const ADDRESS: Shape = { 1: LEAF, 2: LEAF };
const HTTP: Shape = { 3: LEAF, 13: { 1: LEAF } };
const CHECK_REQUEST: Shape = {
  1: { 1: { 1: ADDRESS }, 4: { 1: LEAF, 2: HTTP }, 10: LEAF, 11: LEAF, 12: LEAF, 13: LEAF },
};

/** One field as it lies in a message. */
interface Field {
  readonly number: number;
  readonly wireType: number;
  /** A number, or the bytes of everything else. */
  readonly value: bigint | Buffer;
}

function readVarint(bytes: Buffer, at: number): readonly [value: bigint, end: number] {
  let value = 0n;
  for (let i = at, shift = 0n; ; i += 1, shift += 7n) {
    value |= BigInt((bytes[i] ?? 0) & 0x7f) << shift;
    if ((bytes[i] ?? 0) < 0x80) return [value, i + 1];
  }
}

/** Fields of a message that is well-formed. */
function fieldsOf(bytes: Buffer): readonly Field[] {
  const fields: Field[] = [];
  for (let at = 0; at < bytes.length; ) {
    const [tag, start] = readVarint(bytes, at);
    const wireType = Number(tag & 7n);
    const number = Number(tag >> 3n);
    if (wireType === 0) {
      const [value, end] = readVarint(bytes, start);
      fields.push({ number, wireType, value });
      at = end;
    } else {
      const [length, from] = wireType === 2 ? readVarint(bytes, start) : [wireType === 1 ? 8n : 4n, start];
      at = from + Number(length);
      fields.push({ number, wireType, value: bytes.subarray(from, at) });
    }
  }
  return fields;
}

/** @param longer bytes that say nothing, behind those that do */
function varint(value: bigint, longer: number): Buffer {
  const bytes: number[] = [];
  for (let rest = value; rest > 0n || bytes.length === 0; rest >>= 7n) bytes.push(Number(rest & 0x7fn) | 0x80);
  for (let i = 0; i < longer; i += 1) bytes.push(0x80);
  bytes.push((bytes.pop() ?? 0) & 0x7f);
  return Buffer.from(bytes);
}

const tagOf = ({ number, wireType }: Pick<Field, 'number' | 'wireType'>, longer = 0): Buffer =>
  varint((BigInt(number) << 3n) | BigInt(wireType), longer);

/** The same message, spelt by `spell` field by field, embedded ones from the inside. */
function respelt(bytes: Buffer, shape: Shape, spell: (field: Field) => Buffer): Buffer {
  const parts = fieldsOf(bytes).map((field) => {
    const inner = field.wireType === 2 && Buffer.isBuffer(field.value) ? shape[field.number] : undefined;
    const value = inner === undefined ? field.value : respelt(field.value as Buffer, inner, spell);
    return spell({ ...field, value });
  });
  return Buffer.concat(parts);
}

function spelt(field: Field, longer: (most: number) => number): Buffer {
  const { value, wireType } = field;
  // A tag and a length have at most five bytes, a number ten.
  const tag = tagOf(field, longer(5 - tagOf(field).length));
  if (typeof value === 'bigint') return Buffer.concat([tag, varint(value, longer(10 - varint(value, 0).length))]);
  if (wireType !== 2) return Buffer.concat([tag, value]);
  const length = varint(BigInt(value.length), 0);
  return Buffer.concat([tag, varint(BigInt(value.length), longer(5 - length.length)), value]);
}

/** Chance that can be shrunk: numbers in turn. */
const chances = fc.array(fc.nat(), { minLength: 1, maxLength: 40 }).map((numbers) => {
  let next = 0;
  return (below: number): number => {
    next += 1;
    return below <= 0 ? 0 : (numbers[next % numbers.length] ?? 0) % below;
  };
});

describe('readCheckRequest() of other spellings', () => {
  it('reads tags, lengths and numbers that are longer than they need be', () => {
    fc.assert(
      fc.property(request, chances, (message, chance) => {
        const bytes = encodeRequest(message);
        const longer = respelt(bytes, CHECK_REQUEST, (field) => spelt(field, (most) => chance(most + 1)));
        assert.deepEqual(said(readCheckRequest(longer)), said(readCheckRequest(bytes)));
      }),
      { numRuns: 300 },
    );
  });

  it('reads the fields of a message in any order, as far as order means nothing', () => {
    fc.assert(
      fc.property(request, (message) => {
        const bytes = encodeRequest(message);
        // Fields that are sent several times keep their order; others change places with them.
        const turned = (part: Buffer, shape: Shape): Buffer => {
          const fields = fieldsOf(part).toSorted((a, b) => b.number - a.number);
          const whole = fields.map((field) => {
            const inner = Buffer.isBuffer(field.value) && field.wireType === 2 ? shape[field.number] : undefined;
            return inner === undefined ? field : { ...field, value: turned(field.value as Buffer, inner) };
          });
          return Buffer.concat(whole.map((field) => spelt(field, () => 0)));
        };
        assert.deepEqual(said(readCheckRequest(turned(bytes, CHECK_REQUEST))), said(readCheckRequest(bytes)));
      }),
      { numRuns: 200 },
    );
  });

  it('takes every known field in another wire type for an unknown one, and reads what is around it', () => {
    const strange = (number: number, wireType: number): Buffer => {
      const tag = tagOf({ number, wireType });
      if (wireType === 0) return Buffer.concat([tag, varint(300n, 0)]);
      if (wireType === 2) return Buffer.concat([tag, varint(3n, 0), Buffer.from('abc')]);
      return Buffer.concat([tag, Buffer.alloc(wireType === 1 ? 8 : 4, 0x0a)]);
    };
    /** Wire types of the fields of every message, by its way from the outside. */
    const known: readonly (readonly [way: readonly number[], fields: Readonly<Record<number, number>>])[] = [
      [[], { 1: 2 }],
      [[1], { 1: 2, 4: 2, 10: 2, 11: 2, 12: 2, 13: 2 }],
      [[1, 1], { 1: 2, 4: 2, 5: 2 }],
      [[1, 1, 1], { 1: 2, 2: 2 }],
      [[1, 1, 1, 1], { 2: 2 }],
      [[1, 4], { 1: 2, 2: 2 }],
      [[1, 4, 1], { 1: 0, 2: 0 }],
      [[1, 4, 2], { 1: 2, 2: 2, 3: 2, 4: 2, 5: 2, 6: 2, 9: 0, 10: 2, 11: 2, 12: 2, 13: 2 }],
      [[1, 4, 2, 3], { 1: 2, 2: 2 }],
      [[1, 4, 2, 13], { 1: 2 }],
      [[1, 4, 2, 13, 1], { 1: 2, 2: 2, 3: 2 }],
      [[1, 10], { 1: 2, 2: 2 }],
      [[1, 11], { 1: 2 }],
      [[1, 12], { 1: 2 }],
    ];
    for (const [way, fields] of known) {
      const wrapped = (inner: Buffer): Buffer =>
        way.toReversed().reduce<Buffer>((part, number) => embedded(number, part), inner);
      for (const [number, right] of Object.entries(fields)) {
        for (const wireType of [0, 1, 2, 5].filter((type) => type !== right)) {
          const odd = strange(Number(number), wireType);
          const name = `field ${[...way, number].join('.')} as wire type ${wireType}`;
          assert.deepEqual(
            said(readCheckRequest(wrapped(odd))),
            said(readCheckRequest(wrapped(Buffer.alloc(0)))),
            name,
          );
        }
      }
    }
  });

  it('never takes a cut message for a whole one: it is refused, or cut between two fields', () => {
    fc.assert(
      fc.property(request, fc.nat(), (message, at) => {
        const bytes = encodeRequest(message);
        // All lies in one field, so that every cut but the first and the last goes through it.
        fc.pre(bytes.length > 1);
        const cut = bytes.subarray(0, 1 + (at % (bytes.length - 1)));
        assert.throws(() => readCheckRequest(cut), isWireError);
      }),
      { numRuns: 300 },
    );
  });

  it('refuses a tag, a length and a number of a byte too many, wherever they stand', () => {
    fc.assert(
      fc.property(request, fc.nat(), fc.nat(2), (message, at, kind) => {
        const bytes = encodeRequest(message);
        let count = 0;
        const isIt = (field: Field): boolean => kind !== 1 || field.wireType === 2;
        respelt(bytes, CHECK_REQUEST, (field) => {
          if (isIt(field)) count += 1;
          return spelt(field, () => 0);
        });
        fc.pre(count > 0);
        let left = at % count;
        const wrong = respelt(bytes, CHECK_REQUEST, (field) => {
          const isChosen = isIt(field) && left-- === 0;
          if (!isChosen) return spelt(field, () => 0);
          const { value } = field;
          const tag = tagOf(field, kind === 0 ? 6 - tagOf(field).length : 0);
          if (typeof value === 'bigint')
            return Buffer.concat([tag, varint(value, kind === 0 ? 0 : 11 - varint(value, 0).length)]);
          const length = varint(BigInt(value.length), 0);
          if (field.wireType !== 2)
            return Buffer.concat([kind === 0 ? tag : tagOf(field, 6 - tagOf(field).length), value]);
          return Buffer.concat([tag, varint(BigInt(value.length), kind === 0 ? 0 : 6 - length.length), value]);
        });
        assert.throws(() => said(readCheckRequest(wrong)), isWireError);
      }),
      { numRuns: 300 },
    );
  });
});

describe('text of a CheckRequest', () => {
  /** Each byte that is no part of UTF-8 stands in the text as U+DC00 + byte. */
  const bytesOf = (text: string): Buffer =>
    Buffer.concat(
      [...text].map((character) => {
        const unit = character.charCodeAt(0);
        return character.length === 1 && unit >= 0xdc80 && unit <= 0xdcff
          ? Buffer.from([unit - 0xdc00])
          : Buffer.from(character, 'utf8');
      }),
    );
  const piece = fc.oneof(
    fc.uint8Array({ maxLength: 6 }).map((bytes) => Buffer.from(bytes)),
    fc.string({ unit: 'grapheme', maxLength: 12 }).map((text) => Buffer.from(text)),
    fc
      .constantFrom('c0af', 'e08080', 'eda080', 'f48fbfbf', 'f4908080', 'efbfbd', 'efbbbf', 'e28480')
      .map((hex) => Buffer.from(hex, 'hex')),
    fc.nat(40).map((length) => Buffer.alloc(length, 'a')),
  );
  const anything = fc.array(piece, { maxLength: 5 }).map((parts) => Buffer.concat(parts));
  const read = (field: number, bytes: Buffer) =>
    readCheckRequest(embedded(1, embedded(4, embedded(2, embedded(field, bytes)))));

  it('is the text of UTF-8 where it is that, and loses no byte where it is not', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const { target } = read(4, bytes);
        if (isUtf8(bytes)) assert.equal(target, bytes.toString('utf8'));
        else assert.equal(target.isWellFormed(), false);
        assert.deepEqual(bytesOf(target), bytes);
      }),
      { numRuns: 2000 },
    );
  });

  it('is the same in each field that holds text', () => {
    fc.assert(
      fc.property(anything, (bytes) => {
        const { target } = read(4, bytes);
        assert.equal(read(1, bytes).id, target);
        assert.equal(read(2, bytes).method, target);
        assert.equal(read(5, bytes).host, target);
        assert.equal(read(6, bytes).scheme, target);
        const entry = Buffer.concat([embedded(1, Buffer.from('x-a')), embedded(2, bytes)]);
        const trimmed = target.replace(/^[ \t]+|[ \t]+$/g, '');
        assert.deepEqual(read(3, entry).headers.get('x-a'), [trimmed]);
        assert.deepEqual(read(13, embedded(1, entry)).headers.get('x-a'), [trimmed]);
      }),
      { numRuns: 500 },
    );
  });
});
