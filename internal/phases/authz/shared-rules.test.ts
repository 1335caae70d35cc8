import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { ProblemList } from '../../core/problem.ts';
import { authorize } from './authz.ts';
import { type Authorization, compileAuthorization } from './compile.ts';
import { authorizationSpec } from './spec.ts';

const METHODS = [{ name: 'keys', issuer: 'postern.dev/shop', suppliesGroups: true, suppliesScopes: false }];
const WHEN = [{ expression: "request.method == 'GET'" }];
const READERS = { name: 'readers', allow: { roles: ['reader'], when: WHEN } };
const NIGHT = { name: 'night', deny: { paths: ['/night/**'] } };

function compiled(
  rules: readonly object[],
  {
    params = ['id'],
    caseInsensitive = false,
  }: { readonly params?: readonly string[]; readonly caseInsensitive?: boolean } = {},
): Authorization & { readonly problems: number } {
  const problems = new ProblemList();
  const spec = authorizationSpec.parse({ rules: structuredClone(rules) });
  const made = inOneGo(compileAuthorization(spec, { methods: METHODS, params, caseInsensitive }, problems));
  return { ...made, problems: problems.problems.length };
}

describe('rules that policies share', () => {
  it('are those of equal specs, with one step for all', () => {
    const [a, b] = [compiled([READERS, NIGHT]), compiled([READERS, NIGHT])];
    assert.equal(a.allows, b.allows);
    assert.equal(a.denies, b.denies);
    assert.equal(authorize(a), authorize(b));
  });

  it('name the roles of each policy by its own fields', () => {
    const [a, b] = [compiled([READERS]), compiled([READERS])];
    assert.notEqual(a.roleRefs[0]?.at.problems, b.roleRefs[0]?.at.problems);
  });

  it('are none where anything differs that they depend on', () => {
    const all = [
      compiled([READERS, NIGHT]),
      compiled([READERS]),
      compiled([{ ...READERS, mode: 'Audit' }, NIGHT]),
      compiled([{ ...READERS, allow: { roles: ['writer'], when: WHEN } }, NIGHT]),
      compiled([{ name: 'readers', deny: READERS.allow }, NIGHT]),
      compiled([READERS, { name: 'night', deny: { paths: ['/other/**'] } }]),
      compiled([READERS, NIGHT], { params: [] }),
      compiled([READERS, NIGHT], { caseInsensitive: true }),
    ];
    assert.equal(new Set(all.map(({ allows }) => allows)).size, all.length);
    assert.equal(new Set(all.map(authorize)).size, all.length);
  });

  it('are none of a policy in which something is wrong, for what is left out of a rule makes it wider', () => {
    const wrong = [{ name: 'net', allow: { cidrs: ['10.0.0.0/99'] } }];
    const [a, b] = [compiled(wrong), compiled(wrong)];
    assert.ok(a.problems > 0 && b.problems === a.problems);
    assert.notEqual(a.allows, b.allows);
  });
});
