import assert from 'node:assert/strict';
import { it } from 'node:test';
import { aRequest } from '../../core/evaluation.fixture.ts';
import { PASSED, RECENT_MS, RecentChecks, type Taken } from './recent-checks.ts';

const request = (id: string, timeMs = 1, address = '192.0.2.1') =>
  aRequest({ request: { id, timeMs, source: { address, principal: '', certificate: '' } } });
const LIMITED: Taken = Object.freeze({ refusal: Object.freeze({ reason: 'rate_limited' }), loan: undefined });

it('RecentChecks knows the very same check for a while, and no other', () => {
  const recent = new RecentChecks();
  const owner = recent.newOwner();
  assert.equal(recent.find(owner, request('1'), 0), undefined);
  recent.remember(recent.made, LIMITED, 0);
  assert.equal(recent.find(owner, request('1'), 1), LIMITED);
  const others = [
    [owner, request('2')],
    [owner, request('1', 2)],
    [owner, request('1', 1, '192.0.2.2')],
    [recent.newOwner(), request('1')],
  ] as const;
  for (const [who, other] of others) assert.equal(recent.find(who, other, 1), undefined);
  assert.equal(recent.find(owner, request('1'), RECENT_MS), undefined);
});

it('RecentChecks does not know a check again whose takes were given back', () => {
  const recent = new RecentChecks();
  void recent.find(1, request('1'), 0);
  const { made } = recent;
  recent.remember(made, LIMITED, 0);
  recent.forget(made);
  assert.equal(recent.find(1, request('1'), 0), undefined);
});

it('RecentChecks gives no answer to a check that took the place of another, nor lets the other one forget it', () => {
  const recent = new RecentChecks();
  void recent.find(1, request('1'), 0);
  const first = recent.made;
  for (let i = 0; i < 300_000; i += 1) {
    if (recent.find(1, request(`other-${i}`), 0) !== undefined) assert.fail('two checks were taken for one');
    recent.remember(recent.made, PASSED, 0);
  }
  recent.remember(first, LIMITED, 0);
  recent.forget(first);
  assert.equal(recent.find(1, request('1'), 0), undefined);
  assert.equal(recent.find(1, request('other-299999'), 0), PASSED);
});
