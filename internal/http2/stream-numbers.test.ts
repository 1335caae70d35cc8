import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StreamNumbers } from './stream-numbers.ts';

describe('StreamNumbers', () => {
  it('tell a stream that was opened from one that was skipped, and from one that is idle', () => {
    const numbers = new StreamNumbers();
    numbers.open(1);
    numbers.open(5);
    const of = (id: number) => [numbers.wasOpened(id), numbers.isIdle(id)];
    assert.deepEqual([1, 3, 5, 7].map(of), [
      [true, false],
      [false, false],
      [true, false],
      [false, true],
    ]);
    assert.equal(numbers.last, 5);
  });

  it('take those of a server for idle, whatever was opened', () => {
    const numbers = new StreamNumbers();
    numbers.open(9);
    assert.deepEqual([numbers.isIdle(2), numbers.wasOpened(2)], [true, false]);
  });

  it('remember the last 256 that were opened, and take no older one for another', () => {
    const numbers = new StreamNumbers();
    for (let id = 1; id <= 2 * 257; id += 2) numbers.open(id);
    assert.deepEqual([numbers.wasOpened(1), numbers.wasOpened(3), numbers.isIdle(1)], [false, true, false]);
  });

  it('remember the last 4,096 that this side has ended early, which are idle no more', () => {
    const numbers = new StreamNumbers();
    assert.equal(numbers.isIgnored(1), false);
    for (let id = 1; id <= 2 * 4097; id += 2) numbers.ignore(id);
    assert.deepEqual([numbers.isIgnored(1), numbers.isIgnored(3), numbers.isIgnored(8193)], [false, true, true]);
    assert.deepEqual([numbers.isIdle(3), numbers.isIdle(8195)], [false, true]);
  });
});
