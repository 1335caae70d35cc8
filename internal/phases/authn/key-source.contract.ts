import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { KeySource } from './key-source.ts';

/** What every source of keys owes token verification. `create` gives one that has keys to find. */
export function keySourceContract(create: () => KeySource): void {
  it('gives the keys it waited for, and then at once', async () => {
    const source = create();
    const set = await source.fetch();
    assert.ok(set.keys.length > 0);
    assert.equal(source.current(), set);
  });

  it('names every key in its ids', async () => {
    const { keys, ids } = await create().fetch();
    assert.deepEqual([...ids].sort(), [...new Set(keys.map((key) => key.id))].sort());
  });

  it('gives one and the same set while nothing changes', async () => {
    const source = create();
    const [a, b] = await Promise.all([source.fetch(), source.fetch()]);
    assert.equal(a, b);
    assert.equal(await source.fetch(), a);
  });

  it('gives only keys that verify, never private ones', async () => {
    const { keys } = await create().fetch();
    for (const { key, type } of keys) assert.equal(key.type, type === 'oct' ? 'secret' : 'public');
  });
}
