import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { percentEncoded } from './grpc-status.ts';
import { parseGrpcTimeout } from './grpc-timeout.ts';

describe('percentEncoded()', () => {
  it('leaves printable ASCII save %, and spells all else in UTF-8', () => {
    assert.equal(percentEncoded('50% of ü\n~'), '50%25 of %C3%BC%0A~');
  });
});

describe('parseGrpcTimeout()', () => {
  it('reads every unit', () => {
    assert.deepEqual(
      ['2H', '2M', '2S', '2m', '2u', '2n', '99999999H'].map(parseGrpcTimeout),
      [7_200_000, 120_000, 2000, 2, 0.002, 0.000_002, 359_999_996_400_000],
    );
  });

  for (const text of ['', '5', 'S', '-1S', '1.5S', '100000000S', '1s', '1S ', '1S, 2S'])
    it(`reads no "${text}"`, () => assert.equal(parseGrpcTimeout(text), undefined));
});
