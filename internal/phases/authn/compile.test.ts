import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { aBench, ISSUER } from './authn.fixture.ts';
import { findCredential, verifyCredential } from './authn.ts';
import { authenticationSpec } from './spec.ts';
import { FakeKeys } from './token.fixture.ts';

const keys = new FakeKeys();
const jwt = (more: object = {}): object => ({ issuer: ISSUER, audiences: ['orders'], ...more });
const problemsOf = (methods: readonly object[], more: object = {}): unknown =>
  aBench({ authentication: { methods }, keys, ...more }).problems.problems.map(({ reason, path, severity }) => [
    reason,
    path,
    severity,
  ]);
const AT = 'spec.authentication.methods';

describe('compileAuthentication()', () => {
  it('finds nothing wrong with several methods side by side', () => {
    assert.deepEqual(
      problemsOf([
        { name: 'a', apiKey: {} },
        { name: 'b', apiKey: { from: [{ authorizationScheme: 'ApiKey' }] } },
        { name: 'c', jwt: jwt() },
        { name: 'd', jwt: jwt({ issuer: 'https://other.example.org' }) },
      ]),
      [],
    );
  });

  it('refuses two methods that would claim the same credential', () => {
    const ambiguous = [['AmbiguousMethods', `${AT}[1]`, 'error']];
    const header = (name: string, header: string): object => ({ name, apiKey: { from: [{ header }] } });
    const scheme = (name: string, authorizationScheme: string): object => ({
      name,
      apiKey: { from: [{ authorizationScheme }] },
    });
    for (const [a, b] of [
      [header('a', 'x-api-key'), header('b', 'x-api-key')],
      [scheme('a', 'ApiKey'), scheme('b', 'APIKEY')],
      [scheme('a', 'Bearer'), { name: 'b', jwt: jwt() }],
      [header('a', 'authorization'), { name: 'b', jwt: jwt() }],
      [{ name: 'a', jwt: jwt() }, header('b', 'authorization')],
      [
        { name: 'a', jwt: jwt() },
        { name: 'b', jwt: jwt({ audiences: ['billing'] }) },
      ],
    ] as const) {
      assert.deepEqual(problemsOf([a, b]), ambiguous, JSON.stringify([a, b]));
    }
  });

  it('refuses a whole header beside a scheme of it, which would lock out whoever sends the scheme', () => {
    const whole = { from: [{ header: 'authorization' }] };
    const other = { name: 'b', jwt: jwt({ issuer: 'https://other.example.org', ...whole }) };
    const ambiguous = [['AmbiguousMethods', `${AT}[1]`, 'error']];
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt() }, other]), ambiguous);
    assert.deepEqual(problemsOf([other, { name: 'a', jwt: jwt() }]), ambiguous);
    const both = { from: [{ authorizationScheme: 'Bearer' }, { header: 'authorization' }] };
    const own = (kind: string): unknown => [['AmbiguousMethods', `${AT}[0].${kind}.from[0]`, 'error']];
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt(both) }]), own('jwt'));
    assert.deepEqual(problemsOf([{ name: 'a', apiKey: both }]), own('apiKey'));
    // In one and the same place the issuer tells.
    assert.deepEqual(problemsOf([other, { name: 'a', jwt: jwt(whole) }]), []);
  });

  it('refuses tokens of one place of which only some are removed', () => {
    const other = { name: 'b', credentials: 'Remove', jwt: jwt({ issuer: 'https://other.example.org' }) };
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt() }, other]), [['AmbiguousMethods', `${AT}[1]`, 'error']]);
  });

  it('refuses headers that hold more than a credential', () => {
    for (const header of ['cookie', 'host', 'content-length', 'connection', 'x-envoy-peer-metadata']) {
      const expected = [['Invalid', `${AT}[0].apiKey.from[0]`, 'error']];
      assert.deepEqual(problemsOf([{ name: 'a', apiKey: { from: [{ header }] } }]), expected, header);
    }
  });

  it('warns of any audience, and refuses it beside others', () => {
    const at = `${AT}[0].jwt.audiences`;
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt({ audiences: ['*'] }) }]), [
      ['WildcardAudience', at, 'warning'],
    ]);
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt({ audiences: ['*', 'orders'] }) }]), [
      ['Invalid', at, 'error'],
      ['WildcardAudience', at, 'warning'],
    ]);
  });

  it('refuses symmetric algorithms without inline keys, and beside asymmetric ones', () => {
    const at = [['Invalid', `${AT}[0].jwt.algorithms`, 'error']];
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt({ algorithms: ['HS256'] }) }]), at);
    assert.deepEqual(
      problemsOf([{ name: 'a', jwt: jwt({ algorithms: ['HS256'], jwks: { url: 'https://x.example.org' } }) }]),
      at,
    );
    assert.deepEqual(
      problemsOf([{ name: 'a', jwt: jwt({ algorithms: ['HS256', 'RS256'], jwks: { inline: '{}' } }) }]),
      at,
    );
  });

  it('refuses a skew that would keep expired tokens alive', () => {
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt({ clockSkew: '10m' }) }]), []);
    assert.deepEqual(problemsOf([{ name: 'a', jwt: jwt({ clockSkew: '11m' }) }]), [
      ['Invalid', `${AT}[0].jwt.clockSkew`, 'error'],
    ]);
  });

  it('says where keys come from when they cannot be had', () => {
    const of = (more: object): unknown => problemsOf([{ name: 'a', jwt: jwt(more) }], { keys: {} });
    assert.deepEqual(of({}), [['Invalid', `${AT}[0].jwt.issuer`, 'error']]);
    assert.deepEqual(of({ jwks: { url: 'https://x.example.org' } }), [['Invalid', `${AT}[0].jwt.jwks.url`, 'error']]);
    assert.deepEqual(of({ jwks: { inline: '[]' } }), [['Invalid', `${AT}[0].jwt.jwks.inline`, 'error']]);
  });

  it('refuses a public path that can never match', () => {
    const { problems } = aBench({ publicRoutes: [{ name: 'p', methods: ['GET'], paths: ['/a/{b'] }] });
    assert.deepEqual(
      problems.problems.map(({ reason, path }) => [reason, path]),
      [['InvalidPath', 'spec.public[0].paths[0]']],
    );
  });

  it('removes API keys and forwards tokens unless the policy says otherwise, each carrier once', () => {
    const { authentication } = aBench({
      authentication: {
        methods: [
          { name: 'a', apiKey: { from: [{ header: 'x-api-key' }, { cookie: 'k' }, { header: 'x-api-key' }] } },
          { name: 'b', credentials: 'Forward', apiKey: { from: [{ query: 'k' }] } },
          { name: 'c', jwt: jwt() },
          { name: 'd', credentials: 'Remove', jwt: jwt({ from: [{ header: 'x-token' }] }) },
        ],
      },
      keys,
    });
    assert.deepEqual(authentication.removals, [
      { kind: 'header', name: 'x-api-key' },
      { kind: 'cookie', name: 'k' },
      { kind: 'header', name: 'x-token' },
    ]);
  });

  it('challenges with the scheme that keys are sent with', () => {
    const { authentication } = aBench({
      authentication: {
        methods: [{ name: 'a', apiKey: { from: [{ header: 'x' }, { authorizationScheme: 'Token' }] } }],
      },
    });
    assert.deepEqual(authentication.refusals.missing.challenges, ['Token realm="api"']);
  });
});

describe('what policies share', () => {
  const of = (authentication: object, more: object = {}) => aBench({ authentication, keys, ...more });
  const partners = { methods: [{ name: 'partners', apiKey: { from: [{ header: 'x-shared' }] } }] };

  it('is all of authentication and its steps, where they ask for the same and hold nothing of a policy', () => {
    const [a, b] = [of(partners), of(structuredClone(partners))];
    assert.equal(a.authentication, b.authentication);
    assert.equal(findCredential(a.authentication, a.cache), findCredential(b.authentication, a.cache));
    assert.equal(verifyCredential(a.authentication, a.cache), verifyCredential(b.authentication, a.cache));
  });

  it('is no step of another cache of tokens', () => {
    const { authentication, cache } = of(partners);
    const { cache: other } = of(partners);
    assert.notEqual(findCredential(authentication, cache), findCredential(authentication, other));
    assert.notEqual(verifyCredential(authentication, cache), verifyCredential(authentication, other));
  });

  it('is nothing where anything differs', () => {
    const publicRoutes = [{ name: 'health', methods: ['GET'], paths: ['/healthz'] }];
    const all = [
      of(partners),
      of({ ...partners, anonymous: {} }),
      of({ methods: [{ name: 'others', apiKey: { from: [{ header: 'x-shared' }] } }] }),
      of({ methods: [{ name: 'partners', apiKey: { from: [{ header: 'x-other' }] } }] }),
      of({ methods: [{ name: 'partners', credentials: 'Forward', apiKey: { from: [{ header: 'x-shared' }] } }] }),
      of(partners, { publicRoutes }),
      of(partners, { publicRoutes: [{ ...publicRoutes[0], paths: ['/health'] }] }),
    ].map(({ authentication }) => authentication);
    assert.equal(new Set(all).size, all.length);
  });

  it('is nothing where a method takes tokens, whose verdicts are kept by policy', () => {
    const withToken = { methods: [...partners.methods, { name: 'sso', jwt: jwt() }] };
    assert.notEqual(of(withToken).authentication, of(withToken).authentication);
  });

  it('keeps no problem from anybody', () => {
    const twice = { methods: [...partners.methods, { name: 'again', apiKey: { from: [{ header: 'x-shared' }] } }] };
    for (let times = 0; times < 2; times += 1) assert.equal(of(twice).problems.problems.length, 1);
  });
});

describe('authenticationSpec', () => {
  const accepts = (value: unknown): boolean => authenticationSpec.safeParse(value).success;

  it('takes exactly one kind in each method, one place in each carrier, one source of keys', () => {
    assert.equal(accepts({ methods: [{ name: 'a', apiKey: {} }] }), true);
    assert.equal(accepts({ anonymous: {} }), true);
    for (const methods of [
      [],
      [{ name: 'a' }],
      [{ name: 'a', apiKey: {}, jwt: jwt() }],
      [{ name: 'a', apiKey: { from: [] } }],
      [{ name: 'a', apiKey: { from: [{}] } }],
      [{ name: 'a', apiKey: { from: [{ header: 'a', query: 'b' }] } }],
      [{ name: 'a', apiKey: { from: [{ header: 'X-Api-Key' }] } }],
      [{ name: 'a', apiKey: { from: [{ cookie: 'a b' }] } }],
      [{ name: 'a', jwt: { issuer: ISSUER } }],
      [{ name: 'a', jwt: jwt({ audiences: [] }) }],
      [{ name: 'a', jwt: jwt({ algorithms: ['none'] }) }],
      [{ name: 'a', jwt: jwt({ jwks: {} }) }],
      [{ name: 'a', jwt: jwt({ jwks: { url: 'https://x.example.org', inline: '{}' } }) }],
      [{ name: 'a', jwt: jwt({ requiredClaims: [{ path: ['x'] }] }) }],
      [{ name: 'a', jwt: jwt({ clockSkew: '1d' }) }],
      [{ name: 'a', credentials: 'Keep', apiKey: {} }],
      [{ name: 'a', apiKey: {}, anonymous: {} }],
    ]) {
      assert.equal(accepts({ methods }), false, JSON.stringify(methods));
    }
  });
});
