import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { WriteRate } from './write-rate.ts';

describe('WriteRate', () => {
  it('lets no more than its number through in any second, wherever that second begins', () => {
    const rate = new WriteRate(20);
    const passed: number[] = [];
    for (let ms = 0; ms < 5000; ms += 7) if (rate.take(ms) === 0) passed.push(ms);
    for (const start of passed)
      assert.ok(passed.filter((ms) => ms >= start && ms < start + 1000).length <= 20, `from ${start}`);
    assert.ok(passed.length >= 95, `${passed.length} in five seconds`);
  });

  it('tells how long to wait, and does not count who was told to', () => {
    const rate = new WriteRate(2);
    assert.deepEqual([rate.take(0), rate.take(400), rate.take(500), rate.take(500)], [0, 0, 500, 500]);
    assert.deepEqual([rate.take(1000), rate.take(1000)], [0, 400]);
  });
});
