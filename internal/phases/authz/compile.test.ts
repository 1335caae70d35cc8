import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { inOneGo } from '../../core/breather.ts';
import { ProblemList } from '../../core/problem.ts';
import { compileAuthorization } from './compile.ts';
import type { MethodFacts } from './sources.ts';
import { authorizationSpec } from './spec.ts';

const KEYS: MethodFacts = { name: 'keys', issuer: 'postern.dev/shop', suppliesGroups: true, suppliesScopes: false };
const SSO: MethodFacts = {
  name: 'sso',
  issuer: 'https://sso.example.org',
  suppliesGroups: false,
  suppliesScopes: true,
};
const STAFF: MethodFacts = {
  name: 'staff',
  issuer: 'https://staff.example.org',
  suppliesGroups: true,
  suppliesScopes: true,
};

function problemsOf(rule: object, methods: readonly MethodFacts[]): string[] {
  const problems = new ProblemList('spec.authorization');
  const rules = [{ name: 'r', ...rule }];
  inOneGo(
    compileAuthorization(authorizationSpec.parse({ rules }), { methods, params: [], caseInsensitive: false }, problems),
  );
  return problems.problems.map(({ severity, reason, path, message }) => `${severity} ${reason} ${path}: ${message}`);
}

const AT = 'spec.authorization.rules[0]';

describe('compileAuthorization()', () => {
  it('refuses a deny by a word that no method supplies, for it could never match', () => {
    const groups = `error Invalid ${AT}.deny.groups: No method supplies groups here, so this deny could never match: set groupsClaim of a jwt method, or deny by roles`;
    const scopes = `error Invalid ${AT}.deny.scopes: No method supplies scopes here, so this deny could never match: only a jwt method supplies them, so deny by groups or roles`;
    assert.deepEqual(problemsOf({ deny: { groups: ['suspended'] } }, [SSO]), [groups]);
    assert.deepEqual(problemsOf({ deny: { groups: ['suspended'], via: ['sso'] } }, [SSO, KEYS]), [groups]);
    assert.deepEqual(problemsOf({ deny: { scopes: ['legacy'] } }, [KEYS]), [scopes]);
    assert.deepEqual(problemsOf({ deny: { scopes: ['legacy'] } }, []), [scopes]);
    assert.deepEqual(problemsOf({ deny: { methods: ['PUT'] } }, []), []);
    assert.deepEqual(problemsOf({ deny: { groups: ['suspended'] } }, [SSO, KEYS]), []);
    assert.deepEqual(problemsOf({ allow: { groups: ['partners'] } }, [SSO]), []);
  });

  it('refuses a deny by two words that no one method supplies', () => {
    const rule = { deny: { groups: ['suspended'], scopes: ['legacy'] } };
    assert.deepEqual(problemsOf(rule, [SSO, KEYS]), [
      `error Invalid ${AT}.deny: No one method supplies groups and scopes, so this deny could never match: write two rules`,
    ]);
    assert.deepEqual(problemsOf(rule, [STAFF]), []);
  });

  it('refuses a word of two sources without via, and a via that is no method', () => {
    assert.deepEqual(problemsOf({ allow: { groups: ['admins'] } }, [KEYS, STAFF]), [
      `error SubjectAmbiguous ${AT}.allow.groups: More than one method supplies groups (keys, staff): add via: [keys]`,
    ]);
    assert.deepEqual(problemsOf({ allow: { groups: ['admins'], via: ['staff'] } }, [KEYS, STAFF]), []);
    assert.deepEqual(problemsOf({ allow: { groups: ['admins'], via: ['stuff'] } }, [KEYS]), [
      `error Invalid ${AT}.allow.via[0]: No authentication method "stuff"; this policy has "keys"`,
    ]);
  });

  it('warns of an expression that reads a word of two sources, or of none, unless it says whose', () => {
    const admins = { expression: "'admins' in identity.groups" };
    assert.deepEqual(problemsOf({ allow: { when: [admins] } }, [KEYS, STAFF]), [
      `warning SubjectAmbiguous ${AT}.allow.when[0].expression: identity.groups may be of any of keys, staff: add via: [keys], or compare identity.method`,
    ]);
    assert.deepEqual(problemsOf({ deny: { when: [admins] } }, [SSO]), [
      `warning Invalid ${AT}.deny.when[0].expression: No method supplies groups here: identity.groups is always empty`,
    ]);
    const issuer = { expression: "identity.issuer == 'https://sso.example.org'" };
    assert.deepEqual(problemsOf({ allow: { when: [admins, issuer] } }, [KEYS, STAFF]), []);
    assert.deepEqual(problemsOf({ allow: { when: [admins], via: ['keys'] } }, [KEYS, STAFF]), []);
    assert.deepEqual(problemsOf({ allow: { when: [admins] } }, [KEYS]), []);
  });

  it('warns of a subject that callers of two issuers may share, unless it says whose', () => {
    const own = { expression: "request.headers['x-user'] == identity.subject" };
    assert.deepEqual(problemsOf({ allow: { when: [own] } }, [SSO, STAFF]), [
      `warning SubjectAmbiguous ${AT}.allow.when[0].expression: identity.subject is unique only within its issuer, and callers of sso, staff have several: use identity.id, or compare identity.issuer too`,
    ]);
    assert.equal(problemsOf({ deny: { when: [own], via: ['sso', 'keys'] } }, [SSO, STAFF, KEYS]).length, 1);
    const issuer = { expression: "identity.issuer == 'https://sso.example.org'" };
    assert.deepEqual(problemsOf({ allow: { when: [own, issuer] } }, [SSO, STAFF]), []);
    assert.deepEqual(problemsOf({ allow: { when: [own], via: ['sso'] } }, [SSO, STAFF]), []);
    assert.deepEqual(problemsOf({ allow: { when: [own] } }, [KEYS, { ...KEYS, name: 'more' }]), []);
  });
});
