import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_BOUNDS } from './bounds.ts';
import { HeaderBlocks } from './header-blocks.ts';
import { encodeBlock } from './hpack/encoder.ts';
import { encodeHuffman } from './hpack/huffman.ts';
import type { RequestHead } from './request-head.ts';

type Field = readonly [name: string, value: string];

const PSEUDO: readonly Field[] = [
  [':method', 'POST'],
  [':scheme', 'http'],
  [':path', '/a.B/C'],
  [':authority', 'door.example.org'],
];

function headOf(fields: readonly Field[], blocks = new HeaderBlocks(DEFAULT_BOUNDS)): RequestHead {
  const block = encodeBlock(fields);
  return blocks.read(block, 0, block.length);
}

describe('the head of a request', () => {
  it('holds what gRPC needs, and nothing else', () => {
    const head = headOf([
      ...PSEUDO,
      ['content-type', 'application/grpc'],
      ['te', 'trailers'],
      ['grpc-timeout', '200m'],
      ['content-length', '12'],
      ['traceparent', 'a'],
      ['tracestate', 'b=1'],
      ['tracestate', 'c=2'],
      ['authorization', 'Bearer secret'],
    ]);
    assert.deepEqual(head, {
      flaw: undefined,
      isRequest: true,
      method: 'POST',
      path: '/a.B/C',
      contentType: 'application/grpc',
      timeoutMs: 200,
      contentLength: 12,
      traceparent: ['a'],
      tracestate: ['b=1', 'c=2'],
      bytes: head.bytes,
      hasPseudo: true,
    });
    assert.equal(JSON.stringify(head).includes('secret'), false);
  });

  for (const [what, fields] of [
    ['a pseudo-header field behind others', [['te', 'trailers'], ...PSEUDO]],
    ['a pseudo-header field twice', [...PSEUDO, [':path', '/other']]],
    ['a pseudo-header field of an answer', [...PSEUDO, [':status', '200']]],
    ['a pseudo-header field that nobody knows', [...PSEUDO, [':protocol-of-mine', 'x']]],
    ['a name in capitals', [...PSEUDO, ['Content-Type', 'application/grpc']]],
    ['a name with a blank', [...PSEUDO, ['x y', '1']]],
    ['an empty name', [...PSEUDO, ['', '1']]],
    ['connection', [...PSEUDO, ['connection', 'keep-alive']]],
    ['transfer-encoding', [...PSEUDO, ['transfer-encoding', 'chunked']]],
    ['upgrade', [...PSEUDO, ['upgrade', 'h2c']]],
    ['te that is not trailers', [...PSEUDO, ['te', 'gzip']]],
    ['content-length that is none', [...PSEUDO, ['content-length', '-1']]],
    ['two lengths', [...PSEUDO, ['content-length', '1'], ['content-length', '2']]],
    ['the same length twice', [...PSEUDO, ['content-length', '1'], ['content-length', '1']]],
    ['an empty scheme', [PSEUDO[0], [':scheme', ''], PSEUDO[2]]],
    ['a scheme with a blank', [PSEUDO[0], [':scheme', 'ht tp'], PSEUDO[2]]],
    ['a line end in a path', [PSEUDO[0], PSEUDO[1], [':path', '/a\r\nb']]],
    ['a NUL in a content-type', [...PSEUDO, ['content-type', 'application/grpc\0']]],
    ['blanks around a value', [...PSEUDO, ['content-type', ' application/grpc']]],
  ] as unknown as readonly (readonly [string, readonly Field[]])[]) {
    it(`is none with ${what}`, () => {
      assert.notEqual(headOf(fields).flaw, undefined);
    });
  }

  for (const [what, byte] of [
    ['NUL', '\0'],
    ['CR', '\r'],
    ['LF', '\n'],
  ] as const) {
    it(`is none with ${what} in a field that nobody wants, spelt out, Huffman-coded or remembered`, () => {
      const before = encodeBlock(PSEUDO);
      const value = Buffer.from(`a${byte}b`);
      const coded = encodeHuffman(value);
      const blocks = new HeaderBlocks(DEFAULT_BOUNDS);
      const flawOf = (...field: readonly Uint8Array[]): string | undefined => {
        const block = Buffer.concat([before, ...field]);
        return blocks.read(block, 0, block.length).flaw;
      };
      const wrong = 'a field value holds what none may';
      assert.equal(flawOf(Buffer.of(0, 1, 0x78, value.length), value), wrong);
      assert.equal(flawOf(Buffer.of(0, 1, 0x78, 0x80 | coded.length), coded), wrong);
      assert.equal(flawOf(Buffer.of(0x40, 1, 0x78, value.length), value), wrong);
      assert.equal(flawOf(Buffer.of(0x80 | 62)), wrong);
      // The same name with another value is right.
      assert.equal(flawOf(Buffer.of(0x0f, 62 - 15, 1, 0x63)), undefined);
      assert.equal(flawOf(Buffer.of(0, 1, 0x78, 3), Buffer.from('a\tb')), undefined);
    });
  }

  for (const missing of [0, 1, 2]) {
    it(`is none without ${PSEUDO[missing]?.[0]}`, () => {
      assert.equal(headOf(PSEUDO.filter((_, index) => index !== missing)).isRequest, false);
    });
  }

  it('is none with an empty path', () => {
    assert.equal(headOf([...PSEUDO.slice(0, 2), [':path', '']]).isRequest, false);
  });

  it('has a timeout that is none where that is empty, which is not the same as no timeout', () => {
    assert.deepEqual(headOf([...PSEUDO, ['grpc-timeout', '']]).timeoutMs, Number.NaN);
  });

  it('takes a field that comes twice for neither', () => {
    const head = headOf([
      ...PSEUDO,
      ['grpc-timeout', '1S'],
      ['grpc-timeout', '9S'],
      ['content-type', 'a/b'],
      ['content-type', 'c/d'],
    ]);
    assert.deepEqual([head.timeoutMs, head.contentType], [Number.NaN, 'a/b, c/d']);
  });

  it('is read in a time that grows as its block does, however often a field is in it', () => {
    const names = ['traceparent', 'tracestate', 'content-type', 'grpc-timeout', 'te', ':path', 'x'];
    for (const name of names) {
      const blocks = new HeaderBlocks({ ...DEFAULT_BOUNDS, maxHeaderBytes: 4 * 1024 * 1024 });
      const remembered = Buffer.concat([Buffer.from([0x40, name.length]), Buffer.from(name), Buffer.of(1, 0x61)]);
      const block = Buffer.concat([remembered, Buffer.alloc(200_000, 0x80 | 62)]);
      const before = process.cpuUsage();
      blocks.read(block, 0, block.length);
      const { user } = process.cpuUsage(before);
      // Microseconds of the processor, not of the clock; what is quadratic takes many seconds.
      assert.ok(user < 2_000_000, `${name}: ${user}`);
    }
  });

  it('takes nothing over from the one before', () => {
    const blocks = new HeaderBlocks(DEFAULT_BOUNDS);
    headOf([...PSEUDO, ['connection', 'close'], ['grpc-timeout', '1S'], ['traceparent', 'a']], blocks);
    const head = headOf(PSEUDO, blocks);
    assert.deepEqual([head.flaw, head.timeoutMs, head.traceparent], [undefined, undefined, []]);
  });

  it('is read once for blocks that repeat, as long as the table stays the same', () => {
    const blocks = new HeaderBlocks(DEFAULT_BOUNDS);
    const first = headOf(PSEUDO, blocks);
    assert.equal(headOf(PSEUDO, blocks), first);
    const read = (hex: string): RequestHead => {
      const block = Buffer.from(hex.replaceAll(' ', ''), 'hex');
      return blocks.read(block, 0, block.length);
    };
    // :method POST, :scheme http, and a path by the newest index, which is another one each time.
    read('83 86 44 02 2f61');
    const a = read('83 86 be');
    assert.equal(read('83 86 be'), a);
    read('83 86 44 02 2f62');
    assert.deepEqual([a.path, read('83 86 be').path], ['/a', '/b']);
    // A block that changes the table is not the same twice, though its bytes are.
    assert.notEqual(read('83 86 44 02 2f63'), read('83 86 44 02 2f63'));
  });
});
