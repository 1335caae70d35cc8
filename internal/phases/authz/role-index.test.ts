import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';
import type { BindingInput } from './bindings.ts';
import { ROLES_UNKNOWN } from './holder.ts';
import { compilePermissions, type Permission } from './permissions.ts';
import { compileRoles, type RoleInput } from './role-index.ts';

const breathe = (): undefined => undefined;
const ALL = await compilePermissions([{ name: 'all', allPolicies: {} }], new ProblemList(), breathe);

const aRole = (
  name: string,
  inherits: readonly string[] = [],
  permissions: readonly Permission[] = ALL,
): RoleInput => ({
  name,
  inherits: inherits.map((parent) => ({ name: parent })),
  permissions,
});
const bound = (role: string, subject: BindingInput['subjects'][number]): BindingInput => ({
  roleRef: { name: role },
  subjects: [subject],
});
const ACME = { consumer: { name: 'acme' } };
const FRONT = { spiffe: { id: 'spiffe://cluster.local/ns/web/sa/front' } };
const SIDE = { spiffe: { id: 'spiffe://cluster.local/ns/web/sa/side' } };

const compile = (
  roles: readonly RoleInput[],
  bindings: readonly BindingInput[],
  unread: readonly (string | undefined)[] = [],
) => compileRoles(roles, bindings, { clusterIssuer: undefined, unread: new Set(unread), breathe });

function asConsumer(name: string): Partial<Identity> {
  return { kind: 'apiKey', subject: name, consumer: name, id: identityId('apiKey', 'postern.dev/shop', name) };
}

function caller(name: string, principal = ''): Evaluation {
  return anEvaluation({ identity: asConsumer(name), request: { source: { address: '', principal, certificate: '' } } });
}

describe('compileRoles()', () => {
  it('takes the holder of a role that was deleted to hold what it inherited', async () => {
    const roles = [aRole('contractor'), aRole('external', ['contractor'])];
    const bindings = [bound('external', ACME)];
    const before = (await compile(roles, bindings)).index;
    const after = (await compile(roles.slice(0, 1), bindings)).index;
    assert.deepEqual(
      [before, after].map((index) => [
        index.isHeldForDeny('contractor', caller('acme')),
        index.permits('contractor', caller('acme')),
        index.rolesOf(caller('acme')),
        index.isHeldForDeny('contractor', caller('other')),
        index.rolesOf(caller('other')),
      ]),
      [
        [true, true, ['contractor', 'external'], false, []],
        [true, false, ROLES_UNKNOWN, false, []],
      ],
    );
  });

  it('takes everybody to hold every role while a binding of a role that is gone cannot be read', async () => {
    const { index } = await compile([aRole('a')], [bound('a', ACME)], ['gone']);
    assert.deepEqual([index.isHeldForDeny('a', caller('other')), index.rolesOf(caller('acme'))], [true, ROLES_UNKNOWN]);
  });

  it('grants nothing through a role in a cycle', async () => {
    const { index, problems } = await compile(
      [aRole('top', ['loop']), aRole('loop', ['pool']), aRole('pool', ['loop', 'base']), aRole('base')],
      [bound('top', ACME)],
    );
    assert.deepEqual(
      ['top', 'loop', 'pool', 'base'].map((role) => [
        index.permits(role, caller('acme')),
        index.isHeldForDeny(role, caller('acme')),
        problems.get(role)?.problems.map(({ reason }) => reason),
      ]),
      [
        [true, true, []],
        [false, true, ['RoleCycle']],
        [false, true, ['RoleCycle']],
        [false, true, []],
      ],
    );
    assert.equal(index.rolesOf(caller('acme')), ROLES_UNKNOWN);
  });

  it('gives a caller the roles of its peer too, those of one peer never to another', async () => {
    const { index } = await compile(
      [aRole('a'), aRole('b', ['c']), aRole('c'), aRole('d')],
      [bound('a', ACME), bound('b', FRONT), bound('d', SIDE)],
    );
    const rolesBy = (principal: string): unknown => index.rolesOf(caller('acme', principal));
    for (const _ of [1, 2]) {
      assert.deepEqual(rolesBy(FRONT.spiffe.id), ['a', 'b', 'c']);
      assert.deepEqual(rolesBy(SIDE.spiffe.id), ['a', 'd']);
      assert.deepEqual(rolesBy('spiffe://cluster.local/ns/web/sa/else'), ['a']);
    }
    assert.deepEqual(
      [FRONT, SIDE].map(({ spiffe }) => [
        index.permits('c', caller('acme', spiffe.id)),
        index.isHeldForDeny('c', caller('acme', spiffe.id)),
      ]),
      [
        [true, true],
        [false, false],
      ],
    );
  });

  it('works roles out once for an identity, by whichever peer it comes', async () => {
    const { index } = await compile([aRole('a'), aRole('b')], [bound('a', ACME), bound('b', FRONT)]);
    const first = caller('acme', FRONT.spiffe.id);
    const again = caller('acme', FRONT.spiffe.id);
    again.identity = first.identity;
    assert.equal(index.rolesOf(first), index.rolesOf(again));
  });

  it('agrees with roles that are worked out one by one (property)', async () => {
    const name = fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f');
    const roles = fc.uniqueArray(fc.record({ name, inherits: fc.uniqueArray(name, { maxLength: 3 }) }), {
      selector: (role) => role.name,
    });
    await fc.assert(
      fc.asyncProperty(roles, fc.uniqueArray(name), fc.uniqueArray(name), async (given, own, others) => {
        const bindings = [
          ...own.map((role) => bound(role, ACME)),
          ...others.map((role) => bound(role, { consumer: { name: 'other' } })),
        ];
        const { index } = await compile(
          given.map((role) => aRole(role.name, role.inherits)),
          bindings,
        );
        const plain = new PlainRoles(given);
        const evaluation = caller('acme');
        for (const role of ['a', 'b', 'c', 'd', 'e', 'f', 'unheard-of']) {
          assert.equal(
            index.isHeldForDeny(role, evaluation),
            plain.isHeldForDeny(role, own, [...own, ...others]),
            role,
          );
          assert.equal(index.permits(role, evaluation), plain.grantedBy(own).has(role), role);
        }
        assert.deepEqual(index.rolesOf(evaluation), plain.rolesOf(own) ?? ROLES_UNKNOWN);
      }),
    );
  });
});

/** What roles mean, as the contract says it, without regard to time. */
class PlainRoles {
  readonly #inherits: ReadonlyMap<string, readonly string[]>;

  constructor(roles: readonly { readonly name: string; readonly inherits: readonly string[] }[]) {
    this.#inherits = new Map(roles.map(({ name, inherits }) => [name, inherits]));
  }

  isHeldForDeny(role: string, own: readonly string[], bound: readonly string[]): boolean {
    const isKnown = this.#inherits.has(role) || bound.some((name) => this.#above(name).has(role));
    if (!isKnown) return true;
    return own.some((name) => this.#above(name).has(role) || this.#isBoundless(name));
  }

  rolesOf(own: readonly string[]): readonly string[] | undefined {
    const all = own.flatMap((name) => [...this.#above(name)]);
    if (all.some((name) => !this.#inherits.has(name) || this.#isInCycle(name))) return undefined;
    return [...new Set(all)].sort();
  }

  grantedBy(own: readonly string[]): ReadonlySet<string> {
    const granted = new Set<string>();
    const add = (name: string): void => {
      if (granted.has(name) || !this.#inherits.has(name) || this.#isInCycle(name)) return;
      granted.add(name);
      for (const parent of this.#inherits.get(name) ?? []) add(parent);
    };
    for (const name of own) add(name);
    return granted;
  }

  #above(name: string): ReadonlySet<string> {
    const seen = new Set([name]);
    for (const role of seen) for (const parent of this.#inherits.get(role) ?? []) seen.add(parent);
    return seen;
  }

  #isInCycle(name: string): boolean {
    return (this.#inherits.get(name) ?? []).some((parent) => this.#above(parent).has(name));
  }

  #isBoundless(name: string): boolean {
    return [...this.#above(name)].some((role) => !this.#inherits.has(role));
  }
}
