import assert from 'node:assert/strict';
import { it } from 'node:test';
import { headerFields } from '../internal/core/attributes.ts';
import { aSigner, aToken } from '../internal/phases/authn/token.fixture.ts';
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
  const { outcome, reason, refusal } = first.decision;
  return [outcome, refusal?.cause ?? reason, refusal?.retryAfterS, again.decision.reason];
}

it('a check whose steps never wait is allowed in time', async () => {
  assert.deepEqual(await decide(1, '/v1'), ['allow', 'allowed', undefined, 'rate_limited']);
});

it('a check whose steps never wait is not allowed after its deadline, and takes nothing', async () => {
  assert.deepEqual(await decide(60, '/v1'), ['fault', 'deadline', 1, 'allowed']);
});

it('a check whose steps never wait is not allowed when the caller has gone', async () => {
  assert.deepEqual(await decide(1, '/v1', { isCancelled: () => true }), [
    'fault',
    'the caller went away',
    1,
    'allowed',
  ]);
});

it('a check that is refused stays refused for its own reason, however late', async () => {
  assert.deepEqual(await decide(60, '/closed'), ['deny', 'denied_by_rule', undefined, 'allowed']);
});

const SIGNER = aSigner('EdDSA');
const GUESSED = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: guessed, namespace: shop}
spec:
  target: {hosts: [orders.example.org]}
  authentication:
    methods:
      - name: sso
        jwt:
          issuer: https://sso.example.org
          audiences: [orders]
          jwks: {inline: '${JSON.stringify({ keys: [{ ...SIGNER.publicKey.export({ format: 'jwk' }), kid: 'k1' }] })}'}
  authorization: {rules: [{name: all, allow: {any: {}}}]}
  rateLimits:
    - {name: guesses, stage: AuthenticationFailure, key: [{expression: client.network}], rates: [{requests: 2, window: 1h}]}
`;

/** Reasons of checks whose callers go away, or whose deadline comes, while their tokens are proved. */
async function reasonsOf(signer: typeof SIGNER, end: 'gone' | 'late' | 'waits'): Promise<readonly string[]> {
  const { engine, clock } = await load(GUESSED);
  const reasons: string[] = [];
  for (let i = 0; i < 4; i += 1) {
    const exp = Math.floor(clock.nowMs / 1000) + 600;
    const payload = { iss: 'https://sso.example.org', aud: 'orders', sub: `s${i}`, exp };
    const token = aToken(signer, payload, { alg: 'EdDSA', kid: 'k1' });
    const trace = { startPhase: () => undefined, endPhase: () => undefined };
    const call = { deadlineMs: clock.nowMs + 1000, isCancelled: () => end === 'gone', trace };
    const headers = headerFields([['authorization', `Bearer ${token}`]]);
    const pending = engine.check(anAttributes({ id: String(i), headers }), call);
    if (end === 'late') clock.nowMs += 1000;
    reasons.push((await pending).decision.reason);
  }
  return reasons;
}

for (const end of ['waits', 'gone', 'late'] as const) {
  it(`a wrong token is a guess that counts: its caller ${end === 'waits' ? end : `is ${end}`}`, async () => {
    const wrong = ['token_invalid', 'token_invalid', 'rate_limited', 'rate_limited'];
    assert.deepEqual(await reasonsOf(aSigner('EdDSA'), end), wrong);
  });
}

it('a right token costs nothing, also where nobody waits for what it proves', async () => {
  assert.deepEqual(await reasonsOf(SIGNER, 'waits'), ['allowed', 'allowed', 'allowed', 'allowed']);
  assert.deepEqual(await reasonsOf(SIGNER, 'gone'), ['deadline', 'deadline', 'deadline', 'deadline']);
});
