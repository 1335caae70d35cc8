import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Step } from '../internal/core/evaluation.ts';
import { decodeResponse } from '../internal/extauthz/wire.fixture.ts';
import type { CompiledPolicy } from '../internal/policy/compiled-policy.ts';
import { readOutcome } from './attack/fault.ts';
import { aWorld } from './attack/fault-world.ts';

type Change = (policy: CompiledPolicy) => CompiledPolicy;

/** A policy that lets in everybody: whatever a step leaves out, no other one refuses. */
const open = (policies: string): string =>
  policies
    .replace(
      / {2}authorization:[\s\S]*?(?= {2}rateLimits:)/,
      '  authorization: {rules: [{name: all, allow: {any: {}}}]}\n',
    )
    .replace('  authentication:\n', '  authentication:\n    anonymous: {}\n');

/** What becomes of a check by the open policy, and why. */
async function decide(change: Change, mode: CompiledPolicy['mode']): Promise<readonly unknown[]> {
  const edit = (policies: string): string => open(policies).replace('spec:\n', `spec:\n  mode: ${mode}\n`);
  const answer = await (await aWorld({ edit, policy: change })).ask('key');
  return [readOutcome(answer), decodeResponse(answer).dynamic_metadata?.fields.reason?.stringValue];
}

/** The nth step of a phase says nothing. */
const silent =
  (phase: string, nth: number): Change =>
  (policy) => {
    const own = policy.steps.filter((row) => row.phase === phase);
    return {
      ...policy,
      steps: policy.steps.map((row) => (row === own[nth] ? { ...row, step: () => undefined } : row)),
    };
  };

const audits: Step = (evaluation) => {
  evaluation.permit = 'audit';
  return undefined;
};
const auditing: Change = (policy) => ({
  ...policy,
  steps: policy.steps.map((row) => (row.phase === 'authz' ? { ...row, step: audits } : row)),
});

it('a permit of Audit is none in a policy that enforces', async () => {
  assert.deepEqual(await decide(auditing, 'Audit'), ['allow', 'allowed']);
  assert.deepEqual(await decide(auditing, 'Enforce'), [403, 'undecided']);
});

for (const mode of ['Enforce', 'Audit'] as const) {
  describe(`a check by a policy in ${mode} that lets in everybody`, () => {
    it('is allowed while every step does its work', async () => {
      assert.deepEqual(await decide((policy) => policy, mode), ['allow', 'allowed']);
    });

    for (const [what, change] of [
      ['a policy has no steps', (policy) => ({ ...policy, steps: [] })],
      ['the step that looks for credentials answers without having looked', silent('authn', 0)],
      ['the step that proves the credential answers without having proved it', silent('authn', 1)],
      ['the step that authorizes answers without having judged', silent('authz', 0)],
    ] as const satisfies readonly (readonly [string, Change])[]) {
      it(`is refused as undecided where ${what}`, async () => {
        assert.deepEqual(await decide(change, mode), [403, 'undecided']);
      });
    }
  });
}
