import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Condition } from './conditions.ts';
import { uncounted } from './uncounted.ts';

const THEN = '2026-11-24T12:00:00Z';
const NOW = '2026-11-24T13:00:00Z';
const aCondition = (parts: Partial<Condition>): Condition => ({
  type: 'Programmed',
  status: 'True',
  reason: 'Programmed',
  message: '',
  observedGeneration: 3,
  lastTransitionTime: NOW,
  ...parts,
});

describe('uncounted()', () => {
  it('knows nothing of Programmed, and leaves all else', () => {
    const accepted = aCondition({ type: 'Accepted', reason: 'Accepted' });
    assert.deepEqual(uncounted([accepted, aCondition({})], [], NOW), [
      accepted,
      aCondition({
        status: 'Unknown',
        reason: 'SidecarsNotCounted',
        message: 'Sidecars write no status: how many of them serve this is not counted',
      }),
    ]);
  });

  it('says which generation is meant to serve, and since when it is not counted', () => {
    const failing = aCondition({ status: 'False', reason: 'LastGoodServes', message: 'Generation 2 serves' });
    const previous = [aCondition({ status: 'Unknown', lastTransitionTime: THEN })];
    const [condition] = uncounted([failing], previous, NOW);
    assert.equal(condition?.lastTransitionTime, THEN);
    assert.match(condition?.message ?? '', /^Generation 2 serves\. Sidecars write no status/);
  });
});
