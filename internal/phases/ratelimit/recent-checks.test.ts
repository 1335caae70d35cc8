import assert from 'node:assert/strict';
import { it } from 'node:test';
import { aRequest } from '../../core/evaluation.fixture.ts';
import { RECENT_MS, RecentChecks } from './recent-checks.ts';

const request = (id: string, timeMs = 1, address = '192.0.2.1') =>
  aRequest({ request: { id, timeMs, source: { address, principal: '', certificate: '' } } });
const REFUSAL = Object.freeze({ reason: 'rate_limited' }) as { readonly reason: 'rate_limited' };

it('RecentChecks knows the very same check for a while, and no other', () => {
  const recent = new RecentChecks();
  const owner = recent.newOwner();
  assert.equal(recent.has(owner, request('1'), 0), false);
  recent.remember(recent.made, REFUSAL, 0);
  assert.equal(recent.has(owner, request('1'), 1), true);
  assert.equal(recent.result, REFUSAL);
  const others = [
    [owner, request('2')],
    [owner, request('1', 2)],
    [owner, request('1', 1, '192.0.2.2')],
    [recent.newOwner(), request('1')],
  ] as const;
  for (const [who, other] of others) assert.equal(recent.has(who, other, 1), false);
  assert.equal(recent.has(owner, request('1'), RECENT_MS), false);
});

it('RecentChecks does not take a check for answered that is still waiting', () => {
  const recent = new RecentChecks();
  assert.equal(recent.has(1, request('1'), 0), false);
  assert.equal(recent.has(1, request('1'), 0), false);
});

it('RecentChecks gives no answer to a check that took the place of another', () => {
  const recent = new RecentChecks();
  recent.has(1, request('1'), 0);
  const first = recent.made;
  for (let i = 0; i < 300_000; i += 1) {
    if (recent.has(1, request(`other-${i}`), 0)) assert.fail('two checks were taken for one');
    recent.remember(recent.made, undefined, 0);
  }
  recent.remember(first, REFUSAL, 0);
  assert.equal(recent.has(1, request('1'), 0), false);
});
