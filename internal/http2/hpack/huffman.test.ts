import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { decodeHuffman, encodeHuffman } from './huffman.ts';
import { CODE_OF, EOS, LENGTH_OF } from './huffman-code.ts';

const decode = (bytes: Uint8Array): Uint8Array | undefined => {
  const to = new Uint8Array(Math.ceil((bytes.length * 8) / 5));
  const length = decodeHuffman(bytes, 0, bytes.length, to);
  return length === -1 ? undefined : to.subarray(0, length);
};

describe('the Huffman code of HPACK', () => {
  it('has the codes of RFC 7541, appendix B', () => {
    const codes = ['0', 'a', '"', '\u0000', '\u00ff', '\\'].map((symbol) => {
      const index = symbol.charCodeAt(0);
      return [CODE_OF[index]?.toString(16), LENGTH_OF[index]];
    });
    assert.deepEqual(codes, [
      ['0', 5],
      ['3', 5],
      ['3f9', 10],
      ['1ff8', 13],
      ['3ffffee', 26],
      ['7fff0', 19],
    ]);
    assert.deepEqual([CODE_OF[EOS], LENGTH_OF[EOS]], [0x3fff_ffff, 30]);
  });

  it('is a whole tree: no code begins another, and none is left', () => {
    const used = LENGTH_OF.reduce((sum, length) => sum + 2 ** -length, 0);
    assert.equal(used, 1);
  });

  it('gives back every text', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 500 }), (text) => assert.deepEqual(decode(encodeHuffman(text)), text)),
    );
  });

  it('takes no text that a coder would write otherwise', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
        const text = decode(bytes);
        if (text !== undefined) assert.deepEqual(encodeHuffman(text), bytes);
      }),
      { numRuns: 5000 },
    );
  });
});
