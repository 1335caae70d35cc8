import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { Retries } from './backoff.ts';
import { isOutage } from './kube-error.ts';

const REFUSED = 403;
const AWAY = 0;
const IN_TROUBLE = 503;

function pauses(statuses: readonly number[], random = 1): readonly number[] {
  const retries = new Retries({ awayMs: 3000, refusedMs: 30_000 }, () => random);
  return statuses.map((status) => retries.failed(status));
}

const times = (count: number, status: number): readonly number[] => Array.from({ length: count }, () => status);

describe('Retries', () => {
  it('doubles the pause up to the most, between half and all of it', () => {
    assert.deepEqual(pauses(times(9, REFUSED), 0), [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000]);
    assert.deepEqual(pauses(times(9, REFUSED), 1), [200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000]);
    assert.equal(pauses(times(1000, REFUSED)).at(-1), 30_000);
  });

  it('pauses for less where the API server is away or in trouble', () => {
    assert.deepEqual(pauses([...times(5, AWAY), IN_TROUBLE]), [200, 400, 800, 1600, 3000, 3000]);
  });

  for (const [status, why] of [
    [401, 'a credential that is renewed'],
    [429, 'a server that has too much to do'],
    [500, 'a server in trouble'],
  ] as const)
    it(`is as soon after an outage by ${status}, ${why}, as after any other`, () => {
      assert.ok(isOutage(status));
      assert.deepEqual(pauses(times(6, status)), pauses(times(6, AWAY)));
    });

  for (const status of [400, 403, 404, 409, 410, 422])
    it(`does not ask often for what alone is refused (${status})`, () => {
      assert.ok(!isOutage(status));
      assert.deepEqual(pauses(times(9, status)), pauses(times(9, REFUSED)));
    });

  it('counts refusals apart from an outage', () => {
    assert.deepEqual(pauses([...times(20, AWAY), REFUSED, AWAY, REFUSED]).slice(20), [200, 3000, 400]);
  });

  it('begins anew once nothing is wrong', () => {
    const retries = new Retries({ awayMs: 3000, refusedMs: 30_000 }, () => 1);
    for (const status of times(20, AWAY)) retries.failed(status);
    retries.clear();
    assert.equal(retries.failed(AWAY), 200);
  });
});
