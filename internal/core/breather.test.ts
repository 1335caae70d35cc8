import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { breather, inSlices, SLICE_MS } from './breather.ts';

/** A clock that a test moves, with the first slice begun; each has turns of its own. */
const aClock = () => {
  const clock = { nowMs: 0, monotonicMs: () => clock.nowMs, wallMs: () => 0 };
  breather(clock);
  return clock;
};

const aTurn = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

describe('breather()', () => {
  it('lets work go on until the slice is used up', () => {
    const clock = aClock();
    const breathe = breather(clock);
    clock.nowMs = SLICE_MS / 2;
    assert.equal(breathe(), undefined);
    clock.nowMs = SLICE_MS;
    assert.ok(breathe() instanceof Promise);
  });

  it('lets one worker work in each turn of the event loop, however many there are, in the order in which they asked', async () => {
    const clock = aClock();
    const worked: string[] = [];
    const work = async (name: string): Promise<void> => {
      const breathe = breather(clock);
      for (let step = 0; step < 3; step += 1) {
        await breathe();
        worked.push(`${name}${step}`);
        clock.nowMs += SLICE_MS;
      }
    };
    clock.nowMs = SLICE_MS;
    const all = Promise.all([work('a'), work('b'), work('c')]);
    const byTurn: string[][] = [];
    for (let turn = 0; turn < 9; turn += 1) {
      await aTurn();
      byTurn.push(worked.splice(0));
    }
    await all;
    assert.deepEqual(byTurn, [['a0'], ['b0'], ['c0'], ['a1'], ['b1'], ['c1'], ['a2'], ['b2'], ['c2']]);
  });

  it('keeps nobody waiting who goes by another clock', () => {
    const [one, other] = [aClock(), aClock()];
    one.nowMs = SLICE_MS;
    assert.ok(breather(one)() instanceof Promise);
    assert.equal(breather(other)(), undefined);
  });
});

describe('inSlices()', () => {
  it('gives what the steps come to, also where a slice ends between them', async () => {
    const clock = aClock();
    const breathe = breather(clock);
    function* steps(): Generator<undefined, number> {
      for (let step = 0; step < 3; step += 1) {
        clock.nowMs += SLICE_MS;
        yield undefined;
      }
      return 42;
    }
    assert.equal(await inSlices(steps(), breathe), 42);
  });
});
