import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import { Evaluation, type RoleIndex } from '../../core/evaluation.ts';
import { ProblemList } from '../../core/problem.ts';
import { authorize } from './authz.ts';
import { compileAuthorization } from './compile.ts';
import { authorizationSpec } from './spec.ts';

/** Reason that rules give where the index of roles answers a question in this way. */
function reasonOf(rules: readonly object[], answer: unknown): string | undefined {
  const problems = new ProblemList('spec.authorization');
  const context = { methods: [], params: [], caseInsensitive: false };
  const step = authorize(inOneGo(compileAuthorization(authorizationSpec.parse({ rules }), context, problems)));
  const given = anEvaluation();
  const roles: RoleIndex = {
    rolesOf: () => [],
    permits: () => answer as boolean,
    isHeldForDeny: () => answer as boolean,
  };
  const evaluation = new Evaluation({ ...given, namespace: { ...given.namespace, roles } });
  const refusal = step(evaluation);
  assert.ok(!(refusal instanceof Promise));
  return refusal?.reason;
}

const MAY = [{ name: 'may', allow: { roles: ['r'] } }];
const MAY_NOT = [
  { name: 'all', allow: { any: {} } },
  { name: 'not', deny: { roles: ['r'] } },
];

describe('authorize()', () => {
  it('takes the answers of the index of roles', () => {
    assert.deepEqual([reasonOf(MAY, true), reasonOf(MAY, false)], [undefined, 'not_allowed']);
    assert.deepEqual([reasonOf(MAY_NOT, true), reasonOf(MAY_NOT, false)], ['denied_by_rule', undefined]);
  });

  for (const [what, answer] of [
    ['a promise', Promise.resolve(false)],
    ['nothing', undefined],
  ] as const) {
    it(`allows nobody where the index of roles answers ${what}`, () => {
      assert.deepEqual([reasonOf(MAY, answer), reasonOf(MAY_NOT, answer)], ['not_allowed', 'denied_by_rule']);
    });
  }
});
