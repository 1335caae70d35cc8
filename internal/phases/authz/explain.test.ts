import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { anEvaluation, type Given } from '../../core/evaluation.fixture.ts';
import { Evaluation, type RoleIndex } from '../../core/evaluation.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { ProblemList } from '../../core/problem.ts';
import { authorize } from './authz.ts';
import { compileAuthorization } from './compile.ts';
import { authorizationSpec } from './spec.ts';

const METHODS = [{ name: 'keys', issuer: 'postern.dev/shop', suppliesGroups: true, suppliesScopes: true }];

/** What an operator reads where these rules refuse. */
function causeOf(rules: readonly object[], given: Given = {}, roles: Partial<RoleIndex> = {}): string | undefined {
  const problems = new ProblemList('spec.authorization');
  const context = { methods: METHODS, params: [], caseInsensitive: false };
  const step = authorize(inOneGo(compileAuthorization(authorizationSpec.parse({ rules }), context, problems)));
  assert.deepEqual(problems.problems, []);
  const plain = anEvaluation(given);
  const index: RoleIndex = { rolesOf: () => [], permits: () => false, isHeldForDeny: () => false, ...roles };
  const evaluation = new Evaluation({ ...plain, params: new Map(), namespace: { ...plain.namespace, roles: index } });
  evaluation.identity = plain.identity;
  const refusal = step(evaluation);
  assert.ok(refusal !== undefined && !(refusal instanceof Promise));
  assert.equal(evaluation.reading, undefined, 'expressions read the path outside of rules again');
  return refusal.cause;
}

const may = (allow: object): readonly object[] => [{ name: 'may', allow }];

describe('the cause of not_allowed', () => {
  for (const [criterion, allow, cause] of [
    ['a method', { methods: ['PUT', 'POST'] }, 'method GET is not among PUT, POST'],
    ['a path', { paths: ['/a', '/b', '/c', '/d', '/e', '/f'] }, 'the path is not among /a, /b, /c, /d and 2 more'],
    ['a role', { roles: ['reader'] }, 'role "reader" is not held'],
    ['several roles', { roles: ['reader', 'chief'] }, 'none of the roles "reader", "chief" is held'],
    ['a group', { groups: ['staff'] }, 'group "staff" is not held'],
    ['a method of authentication', { via: ['keys'] }, 'the caller was not proved by keys'],
    ['a network', { cidrs: ['198.51.100.0/24'] }, "the client's address is not in 198.51.100.0/24"],
    [
      'a condition by its message',
      { when: [{ expression: 'request.query.day == "on"', message: 'only\nby day' }] },
      'only by day',
    ],
    [
      'a condition by its text',
      { when: [{ expression: 'request.query.day\n  == "on"' }] },
      'false: request.query.day == "on"',
    ],
    [
      'a long condition by its beginning',
      { when: [{ expression: `request.query.day == "${'x'.repeat(300)}"` }] },
      `false: request.query.day == "${'x'.repeat(138)}…`,
    ],
  ] as const) {
    it(`names ${criterion}`, () => {
      assert.equal(causeOf(may(allow)), `may: ${cause}`);
    });
  }

  it('tells a role that is held from one of which nobody can tell', () => {
    assert.equal(
      causeOf(may({ roles: ['reader'] }), {}, { rolesOf: () => ['reader'] }),
      'may: role "reader" is held, but does not permit this policy, method and path',
    );
    const unknown = new ExpressionError('a role of the caller is gone, in a cycle or cannot be read');
    assert.equal(
      causeOf(may({ roles: ['reader'] }), {}, { rolesOf: () => unknown }),
      'may: a role of the caller is gone, in a cycle or cannot be read',
    );
  });

  it('says that no rule is there, or only ones in Audit', () => {
    const audited = [{ name: 'may', mode: 'Audit', allow: { any: {} } }];
    assert.equal(causeOf([]), 'the policy has no allow rule that is enforced');
    assert.equal(causeOf(audited), 'the policy has no allow rule that is enforced');
  });

  it('is as it was where an explanation fails', () => {
    const rolesOf = (): never => {
      throw new Error('bug');
    };
    assert.equal(causeOf(may({ roles: ['reader'] }), {}, { rolesOf }), 'it could not be explained');
  });

  it('evaluates conditions again on the same meter, so that a check never costs more', () => {
    const expression = '[1,2,3,4,5,6,7,8,9].all(a, [1,2,3,4,5,6,7,8,9].all(b, a > 0 && b < 9))';
    const rules = Array.from({ length: 40 }, (_, i) => ({ name: `r${i}`, allow: { when: [{ expression }] } }));
    assert.match(causeOf(rules) ?? '', /^r0: false: .*; and \d+ more$/);
  });

  it('is bounded whatever the policy and the method are', () => {
    const long = Array.from({ length: 16 }, (_, i) => `/${i}/${'p'.repeat(900)}`);
    const rules = Array.from({ length: 64 }, (_, i) => ({ name: `r${i}`, allow: { paths: long, methods: ['PUT'] } }));
    const cause = causeOf(rules, { request: { method: 'M'.repeat(5000) } }) ?? '';
    assert.ok(cause.length <= 512, String(cause.length));
    const method = causeOf(may({ methods: ['PUT'] }), { request: { method: 'M'.repeat(5000) } });
    assert.equal(method, `may: method ${'M'.repeat(64)}… is not among PUT`);
  });
});

describe('the cause of insufficient_scope', () => {
  it('names the scopes that the token has not', () => {
    assert.equal(
      causeOf(may({ scopes: ['read', 'write'] }), { identity: { scopes: ['read'] } }),
      'scope "write" is not held',
    );
  });
});
