import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { createDecisionIds } from './decision-id.ts';

describe('createDecisionIds()', () => {
  it('makes ids of 32 hexadecimal digits out of 16 bytes each, and draws anew when they are used up', () => {
    let fills = 0;
    const next = createDecisionIds((bytes) => {
      fills += 1;
      for (let i = 0; i < bytes.length; i += 1) bytes[i] = (i + fills) % 251;
    });
    assert.equal(next(), '0102030405060708090a0b0c0d0e0f10');
    assert.equal(next(), '1112131415161718191a1b1c1d1e1f20');
    for (let i = 2; i < 256; i += 1) next();
    assert.equal(fills, 1);
    assert.equal(next(), '02030405060708090a0b0c0d0e0f1011');
    assert.equal(fills, 2);
  });

  it('never makes the same one twice', () => {
    const next = createDecisionIds();
    const ids = new Set(Array.from({ length: 10_000 }, next));
    assert.equal(ids.size, 10_000);
    for (const id of ids) assert.match(id, /^[0-9a-f]{32}$/);
  });
});
