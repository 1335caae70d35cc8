import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { anEvaluation } from '../../core/evaluation.fixture.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import { isSpent, MAX_WORK } from '../../core/meter.ts';
import { ProblemList } from '../../core/problem.ts';
import type { BindingInput } from './bindings.ts';
import { ROLES_UNKNOWN } from './holder.ts';
import { compilePermissions } from './permissions.ts';
import { compileRoles, type RoleInput } from './role-index.ts';

const breathe = (): undefined => undefined;
const ALL = await compilePermissions([{ name: 'all', allPolicies: {} }], new ProblemList(), breathe);

const aRole = (name: string, inherits: readonly string[] = [], permissions = ALL): RoleInput => ({
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

  const SEGMENTS = 12;
  const EVEN_PATH = Array.from({ length: SEGMENTS }, () => 'a');
  const withPaths = async (paths: readonly string[], methods?: readonly string[]) =>
    compilePermissions([{ name: 'p', allPolicies: {}, paths, methods }], new ProblemList(), breathe);
  const onPath = (kept: readonly string[]): Evaluation =>
    anEvaluation({
      identity: asConsumer('acme'),
      request: { readings: { kept, others: [], hasEncodedSlash: false, hasSemicolon: false } },
    });

  it('does not match a path with every path of every role', async () => {
    const roles: RoleInput[] = [];
    for (let r = 0; r < 8; r += 1) {
      const paths = Array.from({ length: 500 }, (_, k) => `/a/{b}/c/x${r}-${k}`);
      roles.push(aRole(`r${r}`, [`r${r + 1}`], await withPaths(paths)));
    }
    const { index } = await compile([...roles, aRole('r8', [], await withPaths([]))], [bound('r0', ACME)]);
    const [last, none] = [onPath(['a', 'b', 'c', 'x7-499']), onPath(['a', 'b', 'c', 'x8-0'])];
    assert.deepEqual([index.permits('r0', last), index.permits('r0', none)], [true, false]);
    assert.ok(MAX_WORK - none.work < 10_000, `${MAX_WORK - none.work} of work`);
  });

  it('grants nothing once a check has looked at as many paths as it may', async () => {
    // Each of them covers the path as far as it goes.
    const paths = Array.from({ length: 2 ** SEGMENTS }, (_, bits) =>
      EVEN_PATH.map((text, k) => (((bits >>> k) & 1) === 1 ? `/${text}` : `/{p${k}}`)).join(''),
    );
    const many = await withPaths(paths, ['POST']);
    const { index } = await compile(
      [aRole('top', ['a', 'b'], many), aRole('a', [], many), aRole('b', [], many)],
      [bound('top', ACME)],
    );
    const evaluation = onPath(EVEN_PATH);
    assert.equal(index.permits('top', evaluation), false);
    assert.equal(isSpent(evaluation), true);
    const open = (await compile([aRole('top')], [bound('top', ACME)])).index;
    assert.deepEqual([open.permits('top', evaluation), open.permits('top', onPath(EVEN_PATH))], [false, true]);
  });

  it('finds who is bound by a claim by what the token holds, not by who is bound', async () => {
    const issuer = 'https://sso.example.org';
    const claim = (path: readonly string[], value: string, by = issuer) => ({ claim: { issuer: by, path, value } });
    const { index } = await compile(
      ['user', 'reader', 'nested', 'other'].map((name) => aRole(name)),
      [
        { roleRef: { name: 'user' }, subjects: Array.from({ length: 1000 }, (_, k) => claim(['sub'], `u${k}`)) },
        bound('reader', claim(['realm', 'roles'], 'reader')),
        bound('nested', claim(['realm', 'roles', '1'], 'writer')),
        bound('other', claim(['sub'], 'u1', 'https://other.example.org')),
      ],
    );
    let looks = 0;
    const of = (claims: object): unknown => {
      const counted = new Proxy(claims, {
        get(target, name, receiver) {
          looks += 1;
          return Reflect.get(target, name, receiver);
        },
      }) as Readonly<Record<string, unknown>>;
      return index.rolesOf(anEvaluation({ identity: { kind: 'jwt', issuer, claims: counted } }));
    };
    assert.deepEqual(of({ sub: 'u1', realm: { roles: ['reader', 'writer'] } }), ['nested', 'reader', 'user']);
    assert.deepEqual(of({ sub: ['u1', 'u2'], realm: { roles: 'reader' } }), ['reader', 'user']);
    assert.deepEqual(of({ sub: 'u1000', realm: 'reader', roles: ['reader'], constructor: 'u1' }), []);
    assert.ok(looks < 50, `${looks} looks`);
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
