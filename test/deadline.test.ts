import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { CheckCall } from '../internal/policy/checked.ts';
import { anAttributes } from '../internal/telemetry/checked.fixture.ts';
import { load } from './cases/run-case.ts';

const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: orders, namespace: shop}
spec:
  target: {hosts: [orders.example.org]}
  authentication: {anonymous: {}}
  authorization: {rules: [{name: all, allow: {any: {}}}, {name: closed, deny: {paths: [/closed]}}]}
  rateLimits:
    - {name: one, stage: BeforeAuthentication, countDenied: false, key: [{expression: "'all'"}], rates: [{requests: 1, window: 1h}]}
`;

/** Decides one check none of whose steps waits; time passes in each of them. */
async function decide(stepMs: number, target: string, call: Partial<CheckCall> = {}) {
  const { engine, clock } = await load(POLICY);
  const trace = {
    startPhase: () => undefined,
    endPhase: () => {
      clock.nowMs += stepMs;
    },
  };
  const given = { deadlineMs: clock.nowMs + 150, isCancelled: () => false, trace, ...call };
  const first = await engine.check(anAttributes({ target }), given);
  const again = await engine.check(anAttributes({ id: 'another', target: '/v1' }), {
    ...given,
    deadlineMs: undefined,
    isCancelled: () => false,
  });
  return [first.decision.outcome, first.decision.reason, first.decision.refusal?.retryAfterS, again.decision.reason];
}

it('a check whose steps never wait is allowed in time', async () => {
  assert.deepEqual(await decide(1, '/v1'), ['allow', 'allowed', undefined, 'rate_limited']);
});

it('a check whose steps never wait is not allowed after its deadline, and takes nothing', async () => {
  assert.deepEqual(await decide(60, '/v1'), ['fault', 'deadline', 1, 'allowed']);
});

it('a check whose steps never wait is not allowed when the caller has gone', async () => {
  assert.deepEqual(await decide(1, '/v1', { isCancelled: () => true }), ['fault', 'deadline', 1, 'allowed']);
});

it('a check that is refused stays refused for its own reason, however late', async () => {
  assert.deepEqual(await decide(60, '/closed'), ['deny', 'denied_by_rule', undefined, 'allowed']);
});
