import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { brotliCompressSync, deflateRawSync, deflateSync, gzipSync } from 'node:zlib';
import { headerFields } from '../../core/attributes.ts';
import { plainBody } from './inflate.ts';

const TEXT = '{"quantity":1}';

function read(bytes: Uint8Array, codings: readonly string[], most: number | 'none' = 1024): string {
  const headers = headerFields(codings.map((coding) => ['content-encoding', coding] as const));
  const plain = plainBody(headers, { bytes, size: bytes.length }, most === 'none' ? undefined : most);
  return 'reason' in plain ? plain.reason : Buffer.from(plain.bytes).toString();
}

describe('plainBody()', () => {
  it('undoes one gzip or deflate, in any letters', () => {
    assert.equal(read(gzipSync(TEXT), ['gzip']), TEXT);
    assert.equal(read(gzipSync(TEXT), ['X-GZIP']), TEXT);
    assert.equal(read(deflateSync(TEXT), ['deflate']), TEXT);
    assert.equal(read(Buffer.from(TEXT), []), TEXT);
    assert.equal(read(Buffer.from(TEXT), ['identity']), TEXT);
  });

  it('takes several members of gzip for one body, as readers do', () => {
    assert.equal(read(Buffer.concat([gzipSync('{"quantity"'), gzipSync(':1}')]), ['gzip']), TEXT);
  });

  it('undoes no other coding, no two of them, and none that nobody allows', () => {
    const wrong = [['br'], ['zstd'], ['gzip, gzip'], ['gzip', 'gzip'], ['gzip', 'identity'], ['identity, gzip'], ['']];
    for (const codings of wrong) assert.equal(read(gzipSync(TEXT), codings), 'unsupported_media_type', codings.join());
    assert.equal(read(brotliCompressSync(TEXT), ['br']), 'unsupported_media_type');
    assert.equal(read(gzipSync(TEXT), ['gzip'], 'none'), 'unsupported_media_type');
  });

  it('refuses what is not what it says, or more than that', () => {
    const gzip = gzipSync(TEXT);
    const wrong = [
      Buffer.from(TEXT),
      gzip.subarray(0, -1),
      Buffer.concat([gzip, Buffer.from(TEXT)]),
      Buffer.concat([gzip, Buffer.from([0])]),
    ];
    for (const bytes of wrong) assert.equal(read(bytes, ['gzip']), 'malformed_body');
    assert.equal(read(deflateRawSync(TEXT), ['deflate']), 'malformed_body');
    assert.equal(read(Buffer.concat([deflateSync(TEXT), deflateSync(TEXT)]), ['deflate']), 'malformed_body');
  });

  it('makes no more of a body than it may be', () => {
    assert.equal(read(gzipSync(Buffer.alloc(1024)), ['gzip']).length, 1024);
    assert.equal(read(gzipSync(Buffer.alloc(1025)), ['gzip']), 'body_too_large');
    const bomb = gzipSync(Buffer.alloc(50_000_000));
    assert.equal(read(bomb, ['gzip']), 'body_too_large');
  });
});
