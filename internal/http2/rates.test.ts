import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { DEFAULT_BOUNDS } from './bounds.ts';
import { ConnectionError } from './connection-error.ts';
import { Rates } from './rates.ts';

const rates = (): Rates => new Rates({ ...DEFAULT_BOUNDS, maxFrameRate: 10, maxResetRate: 3 });
const endsAs = (ending: string) => (error: unknown) => error instanceof ConnectionError && error.ending === ending;
const times = (count: number, act: () => void): void => {
  for (let i = 0; i < count; i += 1) act();
};

describe('Rates', () => {
  it('let as many frames through as a second may have, and begin anew with the next one', () => {
    const counted = rates();
    times(10, () => counted.frame(0));
    assert.throws(() => counted.frame(999), endsAs('frame_rate'));
    times(10, () => counted.frame(1000));
    assert.throws(() => counted.frame(1999), endsAs('frame_rate'));
  });

  it('count a frame once more for each 512 bytes', () => {
    for (const [bytes, most] of [
      [511, 10],
      [512, 5],
      [1024, 3],
      [5119, 1],
      [5120, 0],
    ] as const) {
      const counted = rates();
      times(most, () => counted.frame(0, bytes));
      assert.throws(() => counted.frame(0, bytes), endsAs('frame_rate'), `${bytes}`);
    }
  });

  it('count a header block for each 512 bytes, and a short one for nothing', () => {
    const counted = rates();
    assert.deepEqual([counted.block(0, 511), counted.block(0, 512), counted.block(0, 4608)], [0, 1, 9]);
    assert.throws(() => counted.block(0, 512), endsAs('frame_rate'));
  });

  it('have room for four frames, for what its head counted for and for one reset more with each answer', () => {
    const counted = rates();
    times(2, () => counted.answered(counted.block(0, 5120)));
    times(3 + 2, () => counted.reset(0));
    assert.throws(() => counted.reset(0), endsAs('reset_rate'));
    times(10 + 2 * 4, () => counted.frame(0));
    assert.throws(() => counted.frame(0), endsAs('frame_rate'));
  });

  it('keep nothing of a second for the next one, neither frames nor answers', () => {
    const counted = rates();
    counted.frame(0);
    times(100, () => counted.answered(0));
    times(3, () => counted.reset(1000));
    assert.throws(() => counted.reset(1000), endsAs('reset_rate'));
  });
});
