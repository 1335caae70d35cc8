import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { LayeredMap } from './layered-map.ts';

const breathe = (): undefined => undefined;

describe('LayeredMap', () => {
  it('holds what changed last, and the ones before it what they held', async () => {
    const empty = new LayeredMap<number>();
    const first = await empty.with(
      new Map([
        ['a', 1],
        ['b', 2],
      ]),
      breathe,
    );
    const second = await first.with(
      new Map([
        ['a', 3],
        ['b', undefined],
      ]),
      breathe,
    );
    const held = (map: LayeredMap<number>): (number | undefined)[] => ['a', 'b'].map((key) => map.get(key));
    assert.deepEqual(
      [held(empty), held(first), held(second)],
      [
        [undefined, undefined],
        [1, 2],
        [3, undefined],
      ],
    );
  });

  it('costs what changed, not what it holds', async () => {
    let map = await new LayeredMap<number>().with(
      new Map(Array.from({ length: 50_000 }, (_, i) => [`k${i}`, i])),
      breathe,
    );
    let breaths = 0;
    map = await map.with(new Map([['k7', -7]]), () => {
      breaths += 1;
      return undefined;
    });
    assert.deepEqual([map.get('k7'), map.get('k8'), breaths], [-7, 8, 1]);
  });

  it('holds the same after more changes than are kept apart', async () => {
    let map = new LayeredMap<number>();
    for (let round = 0; round < 40; round += 1) {
      const changes = Array.from({ length: 100 }, (_, i): [string, number | undefined] => [
        `k${round * 50 + i}`,
        i % 10 === 0 ? undefined : round,
      ]);
      map = await map.with(new Map(changes), breathe);
    }
    assert.deepEqual(
      ['k0', 'k1', 'k49', 'k51', 'k100', 'k2049', 'k2050'].map((key) => map.get(key)),
      [undefined, 0, 0, 1, undefined, 39, undefined],
    );
  });
});
