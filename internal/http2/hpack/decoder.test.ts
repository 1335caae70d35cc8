import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { ERROR } from '../codes.ts';
import { ConnectionError } from '../connection-error.ts';
import { type FieldSink, HeaderDecoder, UNWANTED } from './decoder.ts';
import { encodeBlock } from './encoder.ts';

type Field = readonly [name: string, value: string];

/** Wants every field, save those whose names it is told to pass over. */
class Everything implements FieldSink {
  fields: Field[] = [];
  sizes = 0;
  readonly #names: string[] = ['', ''];
  readonly #unwanted: ReadonlySet<string>;

  constructor(unwanted: readonly string[] = []) {
    this.#unwanted = new Set(unwanted);
  }

  slotOf(name: string): number {
    return this.#unwanted.has(name) ? UNWANTED : this.#names.push(name) - 1;
  }

  field(slot: number, value: string, size: number): void {
    this.fields.push([this.#names[slot] ?? '', value]);
    this.sizes += size;
  }
}

function decoding(maxTableBytes = 4096, unwanted: readonly string[] = []) {
  const sink = new Everything(unwanted);
  const decoder = new HeaderDecoder(sink, maxTableBytes);
  const decode = (hex: string | Buffer): readonly Field[] => {
    const bytes = typeof hex === 'string' ? Buffer.from(hex.replaceAll(' ', ''), 'hex') : hex;
    sink.fields = [];
    // Not at the beginning of what came, and not up to its end.
    decoder.decode(Buffer.concat([Buffer.of(0xff), bytes, Buffer.of(0xff)]), 1, 1 + bytes.length);
    return sink.fields;
  };
  return { decode, decoder, sink };
}

const isBroken = (error: unknown): boolean => error instanceof ConnectionError && error.code === ERROR.compression;

const REQUESTS: readonly (readonly Field[])[] = [
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'http'],
    [':path', '/'],
    [':authority', 'www.example.com'],
    ['cache-control', 'no-cache'],
  ],
  [
    [':method', 'GET'],
    [':scheme', 'https'],
    [':path', '/index.html'],
    [':authority', 'www.example.com'],
    ['custom-key', 'custom-value'],
  ],
];
const DATES = ['Mon, 21 Oct 2013 20:13:21 GMT', 'Mon, 21 Oct 2013 20:13:22 GMT'] as const;
const COOKIE = 'foo=ASDJKHQKBZXOQWEOPIUAXQWEOIU; max-age=3600; version=1';
const RESPONSES: readonly (readonly Field[])[] = [
  [
    [':status', '302'],
    ['cache-control', 'private'],
    ['date', DATES[0]],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '307'],
    ['cache-control', 'private'],
    ['date', DATES[0]],
    ['location', 'https://www.example.com'],
  ],
  [
    [':status', '200'],
    ['cache-control', 'private'],
    ['date', DATES[1]],
    ['location', 'https://www.example.com'],
    ['content-encoding', 'gzip'],
    ['set-cookie', COOKIE],
  ],
];

describe('HeaderDecoder', () => {
  for (const [example, hex, field, tableBytes] of [
    ['C.2.1', '400a637573746f6d2d6b65790d637573746f6d2d686561646572', ['custom-key', 'custom-header'], 55],
    ['C.2.2', '040c2f73616d706c652f70617468', [':path', '/sample/path'], 0],
    ['C.2.3', '100870617373776f726406736563726574', ['password', 'secret'], 0],
    ['C.2.4', '82', [':method', 'GET'], 0],
  ] as const) {
    it(`reads one field, as in RFC 7541 ${example}`, () => {
      const { decode, decoder } = decoding();
      assert.deepEqual([decode(hex), decoder.tableBytes], [[field], tableBytes]);
    });
  }

  for (const [example, maxTableBytes, blocks, wanted, tableBytes] of [
    [
      'C.3',
      4096,
      [
        '828684410f7777772e6578616d706c652e636f6d',
        '828684be58086e6f2d6361636865',
        '828785bf400a637573746f6d2d6b65790c637573746f6d2d76616c7565',
      ],
      REQUESTS,
      [57, 110, 164],
    ],
    [
      'C.4',
      4096,
      [
        '828684418cf1e3c2e5f23a6ba0ab90f4ff',
        '828684be5886a8eb10649cbf',
        '828785bf408825a849e95ba97d7f8925a849e95bb8e8b4bf',
      ],
      REQUESTS,
      [57, 110, 164],
    ],
    [
      'C.5',
      256,
      [
        '4803333032580770726976617465611d4d6f6e2c203231204f637420323031332032303a31333a323120474d546e1768747470733a2f2f7777772e6578616d706c652e636f6d',
        '4803333037c1c0bf',
        '88c1611d4d6f6e2c203231204f637420323031332032303a31333a323220474d54c05a04677a69707738666f6f3d4153444a4b48514b425a584f5157454f50495541585157454f49553b206d61782d6167653d333630303b2076657273696f6e3d31',
      ],
      RESPONSES,
      [222, 222, 215],
    ],
    [
      'C.6',
      256,
      [
        '488264025885aec3771a4b6196d07abe941054d444a8200595040b8166e082a62d1bff6e919d29ad171863c78f0b97c8e9ae82ae43d3',
        '4883640effc1c0bf',
        '88c16196d07abe941054d444a8200595040b8166e084a62d1bffc05a839bd9ab77ad94e7821dd7f2e6c7b335dfdfcd5b3960d5af27087f3672c1ab270fb5291f9587316065c003ed4ee5b1063d5007',
      ],
      RESPONSES,
      [222, 222, 215],
    ],
  ] as const) {
    it(`reads one block after the other, as in RFC 7541 ${example}`, () => {
      const { decode, decoder } = decoding(maxTableBytes);
      for (const [index, block] of blocks.entries())
        assert.deepEqual([decode(block), decoder.tableBytes], [wanted[index], tableBytes[index]]);
    });
  }

  it('counts what nobody wants in the table, and makes no text of it', () => {
    const { decode, decoder } = decoding(4096, ['custom-key']);
    assert.deepEqual(decode('400a637573746f6d2d6b65790d637573746f6d2d686561646572'), [['', '']]);
    assert.equal(decoder.tableBytes, 55);
    assert.deepEqual(decode('be'), [['', '']]);
  });

  it('evicts for a smaller table, and remembers nothing that is larger than it', () => {
    const { decode, decoder } = decoding();
    decode('400a637573746f6d2d6b65790d637573746f6d2d686561646572');
    decode('3f15');
    assert.equal(decoder.tableBytes, 0);
    decode('400a637573746f6d2d6b65790d637573746f6d2d686561646572');
    assert.equal(decoder.tableBytes, 0);
    assert.throws(() => decode('be'), isBroken);
  });

  it('keeps count of many small fields as it grows', () => {
    const { decode, decoder } = decoding();
    const one = (i: number) => Buffer.concat([Buffer.from([0x40, 1, 0x61, 2]), Buffer.from(String(10 + (i % 90)))]);
    decode(Buffer.concat(Array.from({ length: 500 }, (_, i) => one(i))));
    assert.equal(decoder.tableBytes, 117 * 35);
    // 0xff 0x00 is index 127, the 66th newest.
    assert.deepEqual(decode('be ff00'), [
      ['a', String(10 + (499 % 90))],
      ['a', String(10 + ((499 - 65) % 90))],
    ]);
  });

  it('tells whether the table has changed', () => {
    const { decode, decoder } = decoding();
    const changes: number[] = [];
    for (const hex of ['82', '040c2f73616d706c652f70617468', '400161 0162', 'be', '20']) {
      decode(hex);
      changes.push(decoder.changes);
    }
    assert.deepEqual(changes, [0, 0, 1, 1, 2]);
  });

  for (const [what, hex] of [
    ['index 0', '80'],
    ['an index beyond both tables', 'be'],
    ['a name beyond both tables', '7f80 01 61'],
    ['an integer that never ends', 'ffffffffffffffff'],
    ['an integer that is larger than any size', '00 7fffffffff0f 61'],
    ['a text that is longer than the block', '00 05 6162'],
    ['a field without its value', '00 01 61'],
    ['a table that is larger than it may be', '3fe21f'],
    ['a table that is resized behind a field', '82 20'],
    ['EOS within a text', '00 84ffffffff 01 61'],
    ['padding of zeros', '00 01 61 81 18'],
    ['padding of eight bits', '00 01 61 82 1fff'],
  ] as const) {
    it(`refuses ${what}`, () => {
      const { decode } = decoding();
      assert.throws(() => decode(hex), isBroken);
      const unwanting = decoding(4096, ['a', 'ab']);
      assert.throws(() => unwanting.decode(hex), isBroken);
    });
  }

  it('never fails otherwise, whatever bytes it gets, and never holds more than it may', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array({ maxLength: 200 }), { maxLength: 5 }), (blocks) => {
        const { decode, decoder } = decoding();
        try {
          for (const block of blocks) decode(Buffer.from(block));
        } catch (error) {
          assert.ok(isBroken(error), String(error));
        }
        assert.ok(decoder.tableBytes <= 4096);
      }),
      { numRuns: 2000 },
    );
  });

  it('reads what encodeBlock() writes', () => {
    const text = fc.string({ unit: 'binary-ascii', maxLength: 300 });
    fc.assert(
      fc.property(fc.array(fc.tuple(text, text), { maxLength: 8 }), (fields) => {
        const { decode } = decoding();
        assert.deepEqual(decode(encodeBlock(fields)), fields);
      }),
    );
  });
});
