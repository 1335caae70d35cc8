import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { HeldMessages } from './held-messages.ts';

describe('HeldMessages', () => {
  it('has room for all up to half of it, and above for who holds no more than an even share', () => {
    const held = new HeldMessages(1000, () => 5);
    const greedy = [held.take(500, 500), held.take(1, 501)];
    const modest = [held.take(100, 100), held.take(1, 101)];
    assert.deepEqual(
      [greedy, modest],
      [
        [true, false],
        [true, false],
      ],
    );
  });

  it('is never more than it may be', () => {
    const held = new HeldMessages(1000, () => 1);
    assert.equal(held.take(500, 500), true);
    assert.deepEqual([held.take(500, 500), held.take(1, 1)], [true, false]);
  });

  it('has room again for what is given back', () => {
    const held = new HeldMessages(1000, () => 0);
    held.take(1001, 1001);
    held.take(-501, 500);
    assert.equal(held.take(0, 500), true);
  });
});
