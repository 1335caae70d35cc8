import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { SourceObject } from './object.ts';
import { sortedByAge } from './sorted-by-age.ts';

const objectOf = (kind: string, name: string, second: number): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind,
  metadata: {
    name,
    namespace: 'shop',
    uid: `${kind}/${name}`,
    generation: 1,
    creationTimestamp: new Date(Date.UTC(2026, 0, 1, 0, 0, second)).toISOString(),
  },
});

it('sortedByAge puts the older first, then names, then kinds, in whatever order they came, and breathes', async () => {
  const wanted = Array.from({ length: 1000 }, (_, i) =>
    ['APIConsumer', 'APIRole'].map((kind) => objectOf(kind, `n${1000 + i}`, i >> 2)),
  ).flat();
  // A permutation: 7 and the length have no factor in common.
  const mixed = wanted.map((_, i) => wanted[(i * 7 + 3) % wanted.length] as SourceObject);
  let breaths = 0;
  const breathe = (): undefined => {
    breaths += 1;
  };
  for (const given of [wanted, mixed, wanted.toReversed()]) assert.deepEqual(await sortedByAge(given, breathe), wanted);
  assert.ok(breaths > 50, String(breaths));
  assert.deepEqual(await sortedByAge([], breathe), []);
});
