import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { describe, it } from 'node:test';
import fc from 'fast-check';
import { PosternError } from '../../core/error.ts';
import { identityId } from '../../core/identity.ts';
import {
  aBench,
  aSigner,
  aToken,
  authenticate,
  type Bench,
  bearer,
  CLAIMS,
  FakeKeys,
  hmacToken,
  ISSUER,
  keySet,
  NOW_MS,
  NOW_S,
  POLICY,
  type Signer,
  signatureOf,
  verdictOf,
} from './authn.fixture.ts';
import { MAX_TOKEN_LENGTH } from './token.ts';
import { createTokenCache } from './token-cache.ts';

const RSA = aSigner('RS256');
const EC = aSigner('ES256', 'k2');
const ED = aSigner('EdDSA', 'k3');
const SIGNERS = [RSA, EC, ED, aSigner('PS256', 'k4'), aSigner('ES384', 'k5'), aSigner('ES512', 'k6')];
const KEYS = new FakeKeys(keySet(...SIGNERS.map((signer) => signer.key)));

const jwtBench = (jwt: object = {}, rest: object = {}): Bench =>
  aBench({
    authentication: { methods: [{ name: 'sso', jwt: { issuer: ISSUER, audiences: ['orders'], ...jwt } }] },
    keys: KEYS,
    ...rest,
  });

const verdict = (token: string, jwt: object = {}, wallMs = NOW_MS): Promise<string> =>
  verdictOf(jwtBench(jwt), bearer(token), wallMs);

const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');

describe('a good token', () => {
  for (const signer of SIGNERS) {
    it(`verifies with ${signer.alg} and ${signer.key.curve ?? 'RSA'}`, async () => {
      assert.equal(await verdict(aToken(signer, CLAIMS)), 'jwt');
    });
  }

  it('proves issuer, subject, groups, scopes, claims and the time of login', async () => {
    const claims = { ...CLAIMS, scope: 'read  write', realm: { groups: ['a', 5, 'b'] }, auth_time: NOW_S - 60 };
    const { identity } = await authenticate(
      jwtBench({ groupsClaim: { path: ['realm', 'groups'] } }),
      bearer(aToken(RSA, claims)),
    );
    assert.deepEqual(identity, {
      kind: 'jwt',
      issuer: ISSUER,
      subject: 'ann',
      id: identityId('jwt', ISSUER, 'ann'),
      groups: ['a', 'b'],
      scopes: ['read', 'write'],
      claims,
      consumer: null,
      authTimeMs: NOW_MS - 60_000,
      method: 'sso',
    });
  });

  it('takes scopes from scp as list or text, and no groups unless the policy names their claim', async () => {
    const ask = async (more: object): Promise<unknown> => {
      const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, { ...CLAIMS, ...more })));
      return [identity.scopes, identity.groups];
    };
    assert.deepEqual(await ask({ scp: ['read', 7], groups: ['admin'] }), [['read'], []]);
    assert.deepEqual(await ask({ scp: 'read write' }), [['read', 'write'], []]);
    assert.deepEqual(await ask({ scope: 'read', scp: ['write'] }), [['read'], []]);
  });

  it('without subject proves nobody in particular: subject and id are null', async () => {
    for (const sub of [undefined, '']) {
      const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, { ...CLAIMS, sub })));
      assert.deepEqual([identity.kind, identity.subject, identity.id], ['jwt', null, null]);
    }
  });

  it('matches the scheme without regard to case, as RFC 9110 §11.1 says', async () => {
    const token = aToken(RSA, CLAIMS);
    for (const scheme of ['Bearer', 'bearer', 'BEARER', 'Bearer ']) {
      assert.equal(await verdictOf(jwtBench(), { headers: [['authorization', `${scheme} ${token}`]] }), 'jwt');
    }
    // U+212A lower-cases to "k", but is no letter of a scheme.
    const bench = jwtBench({ from: [{ authorizationScheme: 'Tok' }] });
    assert.equal(await verdictOf(bench, { headers: [['authorization', `To\u212a ${token}`]] }), 'credential_missing');
  });
});

describe('a token header', () => {
  const sub = (header: object): string => aToken(RSA, CLAIMS, { alg: 'RS256', kid: 'k1', ...header });

  it('refuses alg none in any case, a missing alg and an empty signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', undefined, null, 5, ['RS256'], '']) {
      const token = `${part({ alg, kid: 'k1' })}.${part(CLAIMS)}.AAAA`;
      assert.equal(await verdict(token), 'token_invalid', String(alg));
    }
    for (const tail of ['', '=', ' ']) {
      assert.equal(await verdict(`${part({ alg: 'none' })}.${part(CLAIMS)}.${tail}`), 'token_malformed');
    }
  });

  it('refuses HS256 made with the public key as PEM, padded PEM, DER or JWK text', async () => {
    const pem = RSA.publicKey.export({ format: 'pem', type: 'spki' }).toString();
    const secrets = [
      pem,
      ` ${pem}`,
      pem.trim(),
      RSA.publicKey.export({ format: 'der', type: 'spki' }),
      JSON.stringify(RSA.publicKey.export({ format: 'jwk' })),
      '',
    ];
    for (const secret of secrets) {
      for (const kid of ['k1', undefined, '']) {
        assert.equal(await verdict(hmacToken(secret, { alg: 'HS256', kid }, CLAIMS)), 'token_invalid');
      }
    }
  });

  it('refuses an algorithm that the policy does not list, or that is not for the key', async () => {
    assert.equal(await verdict(aToken(RSA, CLAIMS), { algorithms: ['ES256'] }), 'token_invalid');
    assert.equal(await verdict(aToken({ ...EC, key: RSA.key }, CLAIMS)), 'token_invalid');
    // An RSA key said to be for PS256 verifies no RS256.
    const stated = aSigner('RS256', 'k9', 'PS256');
    const bench = jwtBench({}, { keys: new FakeKeys(keySet(stated.key)) });
    assert.equal(await verdictOf(bench, bearer(aToken(stated, CLAIMS))), 'token_invalid');
  });

  it('refuses an unknown kid, one that is no text, and takes none from the prototype', async () => {
    for (const kid of ['other', '../../dev/null', "' or 1=1 --", '__proto__', 'constructor', '', null, 5, ['k1'], {}]) {
      assert.equal(await verdict(sub({ kid })), 'token_invalid', String(kid));
    }
  });

  it('never reads jku, x5u, jwk or x5c: the keys are the issuer’s', async () => {
    const stranger = aSigner('RS256', 'evil');
    const jwk = stranger.publicKey.export({ format: 'jwk' });
    const foreign = { jku: 'https://evil.example.org/jwks', x5u: 'https://evil.example.org/x', jwk, x5c: ['AAAA'] };
    for (const kid of ['k1', 'evil', undefined]) {
      assert.equal(await verdict(aToken(stranger, CLAIMS, { alg: 'RS256', kid, ...foreign })), 'token_invalid');
    }
    assert.equal(await verdict(sub(foreign)), 'jwt');
  });

  it('refuses crit, b64 and zip', async () => {
    for (const header of [
      { crit: ['exp'], exp: 1 },
      { crit: ['b64'], b64: false },
      { crit: ['unknown'], unknown: true },
      { crit: [] },
      { b64: false },
      { b64: true },
      { zip: 'DEF' },
    ]) {
      assert.equal(await verdict(sub(header)), 'token_invalid', JSON.stringify(header));
    }
  });

  it('accepts by default no typ, JWT and at+jwt, and refuses tokens made for something else', async () => {
    for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt']) {
      assert.equal(await verdict(sub({ typ })), 'jwt', String(typ));
    }
    for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JOSE', '', 'application/', null, 5, ['JWT']]) {
      assert.equal(await verdict(sub({ typ })), 'token_invalid', String(typ));
    }
  });

  it('with types in the policy accepts those alone, and no absent one', async () => {
    const types = ['application/at+jwt'];
    assert.equal(await verdict(sub({ typ: 'at+jwt' }), { types }), 'jwt');
    assert.equal(await verdict(sub({ typ: 'JWT' }), { types }), 'token_invalid');
    assert.equal(await verdict(sub({}), { types }), 'token_invalid');
  });
});

describe('the form of a token', () => {
  const good = aToken(RSA, CLAIMS);

  it('is canonical base64url text alone: junk, padding and other tails are 401', async () => {
    const [header = '', payload = '', signature = ''] = good.split('.');
    // 256 bytes leave four unused bits in the last character.
    const last = signature.at(-1) ?? '';
    const twin = String.fromCharCode(last.charCodeAt(0) + 1);
    for (const token of [
      `${header}.${payload}.${signature}=`,
      `${header}.${payload}.${signature}==`,
      `${header}.${payload}.${signature.slice(0, -1)}${twin}`,
      `${header}.${payload}.${signature} x`,
      `${header}.${payload}!.${signature}`,
      `${header}.${payload}.${signature.replaceAll('-', '+').replaceAll('_', '/')}+`,
      `${header}.${payload}\u0000.${signature}`,
      `${header}.${payload}.${signature}\ud800`,
      `${header}.${payload}`,
      `${header}.${payload}.`,
      `.${payload}.${signature}`,
      `${good}.`,
      `${good}.${payload}.${signature}`,
      '...',
      'opaque',
    ]) {
      assert.equal(await verdict(token), 'token_malformed', token.slice(-20));
    }
  });

  it('cut by a few characters is 401', async () => {
    for (const cut of [1, 2, 3, 4, 5]) {
      const outcome = await verdict(good.slice(0, -cut));
      assert.ok(outcome.startsWith('token_'), outcome);
    }
  });

  it('refuses a JWE of five parts at once, zip bombs and PBES2 counts included', async () => {
    const headers = [
      { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' },
      { alg: 'dir', enc: 'A128GCM', zip: 'DEF' },
    ];
    for (const header of headers) assert.equal(await verdict(`${part(header)}.AA.AA.AAAA.AA`), 'token_malformed');
  });

  it('is bounded before anything is decoded', async () => {
    const huge = aToken(RSA, { ...CLAIMS, filler: 'x'.repeat(MAX_TOKEN_LENGTH) });
    assert.equal(await verdict(huge), 'token_malformed');
    assert.equal(await verdict(`${'A'.repeat(60_000)}.${'A'.repeat(60_000)}.AA`), 'token_malformed');
    assert.equal(await verdict(`${'.'.repeat(60_000)}`), 'token_malformed');
  });

  it('refuses repeated members, also spelt with escapes, in header and payload', async () => {
    const claims = JSON.stringify(CLAIMS).slice(1);
    for (const payload of [`{"sub":"admin",${claims}`, `{"s\\u0075b":"admin",${claims}`, `{"iss":"x",${claims}`]) {
      assert.equal(await verdict(aToken(RSA, payload)), 'token_malformed');
    }
    for (const header of [
      '{"alg":"none","alg":"RS256","kid":"k1"}',
      '{"kid":"k1","a\\u006cg":"RS256","alg":"RS256"}',
    ]) {
      assert.equal(await verdict(aToken(RSA, CLAIMS, header)), 'token_malformed');
    }
  });

  it('refuses what is no JSON object, bad UTF-8 and a byte order mark', async () => {
    for (const payload of [
      '[]',
      '"text"',
      'null',
      '1',
      '',
      '{',
      `\ufeff${JSON.stringify(CLAIMS)}`,
      `${JSON.stringify(CLAIMS)}{}`,
    ]) {
      assert.equal(await verdict(aToken(RSA, payload)), 'token_malformed', payload);
    }
    const input = `${part({ alg: 'RS256', kid: 'k1' })}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`;
    assert.equal(await verdict(`${input}.${signatureOf(RSA, input).toString('base64url')}`), 'token_malformed');
  });

  it('keeps __proto__ inert, in header and payload', async () => {
    const claims = `{"__proto__":{"sub":"root","aud":"orders"},"constructor":{"prototype":1},${JSON.stringify(CLAIMS).slice(1)}`;
    const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, claims)));
    assert.equal(identity.subject, 'ann');
    assert.deepEqual(Object.keys(identity.claims ?? {}).slice(0, 2), ['__proto__', 'constructor']);
    const inherited = `{"__proto__":${JSON.stringify(CLAIMS)},"iss":${JSON.stringify(ISSUER)}}`;
    assert.equal(await verdict(aToken(RSA, inherited)), 'token_invalid');
    assert.equal(await verdict(aToken(RSA, CLAIMS, '{"__proto__":{"alg":"RS256","kid":"k1"}}')), 'token_invalid');
  });
});

describe('a signature', () => {
  it('of r=s=0, r=s=n, of DER or of another length is 401', async () => {
    const n = Buffer.from('ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551', 'hex');
    const input = `${part({ alg: 'ES256', kid: 'k2' })}.${part(CLAIMS)}`;
    const raw = signatureOf(EC, input);
    const integer = (bytes: Buffer): Buffer => Buffer.concat([Buffer.from([2, 33, 0]), bytes]);
    const body = Buffer.concat([integer(raw.subarray(0, 32)), integer(raw.subarray(32))]);
    for (const signature of [
      Buffer.alloc(64),
      Buffer.concat([n, n]),
      Buffer.concat([Buffer.from([0x30, body.length]), body]),
      raw.subarray(0, 63),
      Buffer.concat([raw, Buffer.alloc(1)]),
    ]) {
      assert.equal(await verdict(`${input}.${signature.toString('base64url')}`), 'token_invalid');
    }
    assert.equal(await verdict(`${input}.${raw.toString('base64url')}`), 'jwt');
  });

  it('of another key with the same kid, or of another realm of the same host, is 401', async () => {
    const other = aSigner('RS256', 'k1');
    assert.equal(await verdict(aToken(other, CLAIMS)), 'token_invalid');
    const keys = { [ISSUER]: KEYS, 'https://sso.example.org/realms/other': new FakeKeys(keySet(other.key)) };
    const methods = Object.keys(keys).map((issuer, index) => ({
      name: `m${index}`,
      jwt: { issuer, audiences: ['orders'] },
    }));
    const bench = aBench({ authentication: { methods }, keys });
    assert.equal(await verdictOf(bench, bearer(aToken(other, CLAIMS))), 'token_invalid');
    const own = aToken(other, { ...CLAIMS, iss: 'https://sso.example.org/realms/other' });
    const { identity } = await authenticate(bench, bearer(own));
    assert.deepEqual([identity.method, identity.issuer], ['m1', 'https://sso.example.org/realms/other']);
  });

  it('is tried with every key that fits when the token names none, up to four', async () => {
    const [a, b, c, d, e] = [1, 2, 3, 4, 5].map(() => aSigner('ES256')) as [Signer, Signer, Signer, Signer, Signer];
    const bench = jwtBench({}, { keys: new FakeKeys(keySet(a.key, b.key, c.key, d.key, e.key)) });
    assert.equal(await verdictOf(bench, bearer(aToken(d, CLAIMS, { alg: 'ES256' }))), 'jwt');
    assert.equal(await verdictOf(bench, bearer(aToken(e, CLAIMS, { alg: 'ES256' }))), 'token_invalid');
  });
});

describe('claims', () => {
  const raw = (members: string): string => `{"iss":"${ISSUER}","aud":"orders","sub":"ann",${members}}`;

  it('need a finite numeric exp that has not passed by more than the skew', async () => {
    for (const exp of ['"9999999999"', 'null', '1e400', '-1e400', 'true', '[9999999999]', '{}']) {
      const outcome = await verdict(aToken(RSA, raw(`"exp":${exp}`)));
      assert.ok(outcome === 'token_invalid' || outcome === 'token_expired', `${exp}: ${outcome}`);
    }
    assert.equal(await verdict(aToken(RSA, raw('"x":1'))), 'token_invalid');
    const at = (exp: number): Promise<string> => verdict(aToken(RSA, { ...CLAIMS, nbf: 0, iat: 0, exp }));
    assert.deepEqual(await Promise.all([at(NOW_S - 59), at(NOW_S - 60), at(NOW_S - 61)]), [
      'jwt',
      'token_expired',
      'token_expired',
    ]);
  });

  it('refuse nbf and iat beyond the skew, and those that are no finite numbers', async () => {
    for (const name of ['nbf', 'iat']) {
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, [name]: NOW_S + 60 })), 'jwt');
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, [name]: NOW_S + 61 })), 'token_invalid');
      for (const value of ['1e400', '-1e400', '"1"', 'null']) {
        const outcome = await verdict(aToken(RSA, raw(`"exp":${NOW_S + 60},"${name}":${value}`)));
        assert.equal(outcome, 'token_invalid', `${name} ${value}`);
      }
    }
  });

  it('use the skew that the policy gives', async () => {
    const token = aToken(RSA, { ...CLAIMS, nbf: 0, iat: 0, exp: NOW_S - 1 });
    assert.equal(await verdict(token, { clockSkew: '0s' }), 'token_expired');
    assert.equal(await verdict(token, { clockSkew: '2s' }), 'jwt');
  });

  it('need an audience of the policy, as text or in a list of texts', async () => {
    for (const aud of ['orders', ['orders'], ['billing', 'orders']]) {
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, aud })), 'jwt', JSON.stringify(aud));
    }
    for (const aud of [
      undefined,
      null,
      '',
      'Orders',
      'orders ',
      'order',
      [],
      ['billing'],
      [['orders']],
      { 0: 'orders' },
      ['orders', 5],
      'billing orders',
      true,
    ]) {
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, aud })), 'token_invalid', JSON.stringify(aud));
    }
  });

  it('accept any audience, and none, only where the policy says so in so many words', async () => {
    for (const aud of ['billing', undefined, ['x']]) {
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, aud }), { audiences: ['*'] }), 'jwt');
    }
    assert.equal(await verdict(aToken(RSA, { ...CLAIMS, aud: '*' })), 'token_invalid');
  });

  it('name the issuer byte for byte: lists, slashes and case are somebody else', async () => {
    for (const iss of [
      `${ISSUER}/`,
      ISSUER.toUpperCase(),
      [ISSUER],
      ['https://evil.example.org', ISSUER],
      null,
      undefined,
      '',
      { iss: ISSUER },
    ]) {
      assert.equal(await verdict(aToken(RSA, { ...CLAIMS, iss })), 'credential_unknown', JSON.stringify(iss));
    }
  });

  it('that the policy requires are there, or are or list its text', async () => {
    const ask = (requiredClaims: object[], claims: object): Promise<string> =>
      verdict(aToken(RSA, { ...CLAIMS, ...claims }), { requiredClaims });
    const tenant = [{ path: ['org', 'id'], value: 'acme' }];
    const any = [{ path: ['jti'], present: {} }];
    assert.deepEqual(
      await Promise.all([
        ask(tenant, { org: { id: 'acme' } }),
        ask(tenant, { org: { id: ['x', 'acme'] } }),
        ask(tenant, { org: { id: 'ACME' } }),
        ask(tenant, { 'org.id': 'acme' }),
        ask(tenant, { org: 'acme' }),
        ask(any, { jti: 'x' }),
        ask(any, { jti: null }),
        ask(any, {}),
        ask([{ path: ['constructor'], present: {} }], {}),
        ask([{ path: ['sub', 'length'], present: {} }], {}),
      ]),
      [
        'jwt',
        'jwt',
        'token_invalid',
        'token_invalid',
        'token_invalid',
        'jwt',
        ...Array<string>(4).fill('token_invalid'),
      ],
    );
  });

  it('have a subject that is Unicode text, or two subjects would share an id', async () => {
    const outcomes: string[] = [];
    for (const sub of ['"\\ud800"', '"a\\udfff"', '5', 'null', '["ann"]']) {
      outcomes.push(await verdict(aToken(RSA, raw(`"exp":${NOW_S + 60}`).replace('"ann"', sub))));
    }
    assert.deepEqual(outcomes, ['token_malformed', 'token_malformed', ...Array<string>(3).fill('token_invalid')]);
  });
});

describe('the cache of verified tokens', () => {
  const token = aToken(RSA, CLAIMS);

  it('answers at once from the second time on, with the same identity', async () => {
    const bench = jwtBench();
    const first = await authenticate(bench, bearer(token));
    const second = await authenticate(bench, bearer(token));
    assert.deepEqual([first.isSync, second.isSync], [false, true]);
    assert.equal(second.identity, first.identity);
  });

  it('ends with the token, skew included, and when the clock steps back before it begins', async () => {
    const bench = jwtBench();
    const at = (wallMs: number): Promise<string> => verdictOf(bench, bearer(token), wallMs);
    assert.equal(await at(NOW_MS), 'jwt');
    const endMs = (CLAIMS.exp + 60) * 1000;
    assert.deepEqual(
      [await at(endMs - 1), await at(endMs), await at(NOW_MS - 61_000)],
      ['jwt', 'token_expired', 'token_invalid'],
    );
  });

  it('drops a verdict with its key, also when a new source counts from the start again', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const cache = createTokenCache();
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'jwt');
    keys.set = keySet(EC.key);
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'token_invalid');
    keys.set = keySet(RSA.key);
    assert.equal(await verdictOf(jwtBench({}, { keys, cache }), bearer(token)), 'jwt');
    const restarted = new FakeKeys(keySet(ED.key));
    assert.equal(await verdictOf(jwtBench({}, { keys: restarted, cache }), bearer(token)), 'token_invalid');
  });

  it('keeps a verdict while other keys come and go', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    await authenticate(bench, bearer(token));
    keys.set = keySet(EC.key, RSA.key);
    assert.equal((await authenticate(bench, bearer(token))).isSync, true);
  });

  it('drops a verdict when its key stays but loses its kid or is said to be for something else', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    await authenticate(bench, bearer(token));
    keys.set = keySet({ ...RSA.key, id: 'other', kid: 'k7' });
    assert.equal(await verdictOf(bench, bearer(token)), 'token_invalid');
  });

  it('never serves another policy, generation, method or spec', async () => {
    const cache = createTokenCache();
    assert.equal(await verdictOf(jwtBench({}, { cache }), bearer(token)), 'jwt');
    const strict = { audiences: ['billing'] };
    for (const [jwt, policy] of [
      [strict, POLICY],
      [strict, { ...POLICY, uid: 'uid-2' }],
      [strict, { ...POLICY, generation: 2 }],
      [{ requiredClaims: [{ path: ['x'], present: {} }] }, POLICY],
    ] as const) {
      assert.equal(await verdictOf(jwtBench(jwt, { cache, policy }), bearer(token)), 'token_invalid');
    }
    const other = { ...POLICY, uid: 'uid-3' };
    assert.equal((await authenticate(jwtBench({}, { cache, policy: other }), bearer(token))).isSync, false);
  });

  it('keeps parts of its key apart: uid and generation that read alike joined are two places', async () => {
    const cache = createTokenCache();
    await authenticate(jwtBench({}, { cache, policy: { ...POLICY, uid: 'uid', generation: 11 } }), bearer(token));
    await authenticate(jwtBench({}, { cache, policy: { ...POLICY, uid: 'uid1', generation: 1 } }), bearer(token));
    assert.equal(cache.size, 2);
  });

  it('holds nothing of a token that proved nobody', async () => {
    const bench = jwtBench();
    await authenticate(bench, bearer(aToken(aSigner('RS256'), CLAIMS)));
    await authenticate(bench, bearer(aToken(RSA, { ...CLAIMS, aud: 'x' })));
    assert.equal(bench.cache.size, 0);
  });

  it('is bounded by number and by memory', async () => {
    const cache = createTokenCache(3);
    const bench = jwtBench({}, { cache });
    for (const sub of ['a', 'b', 'c', 'd', 'e']) await authenticate(bench, bearer(aToken(ED, { ...CLAIMS, sub })));
    assert.equal(cache.size, 3);
    assert.ok(cache.maxSize > 0 && cache.calculatedSize > 3 * 1024);
  });

  it('on or off, decides alike (property)', async () => {
    const tokens = [
      token,
      aToken(EC, CLAIMS),
      aToken(RSA, { ...CLAIMS, exp: NOW_S + 10 }),
      aToken(RSA, { ...CLAIMS, nbf: NOW_S + 30 }),
      aToken(RSA, { ...CLAIMS, aud: 'x' }),
      `${token.slice(0, -4)}AAAA`,
    ];
    const sets = [keySet(RSA.key), keySet(RSA.key, EC.key), keySet(EC.key), keySet(RSA.key)];
    const step = fc.record({
      token: fc.constantFrom(...tokens),
      set: fc.constantFrom(...sets),
      deltaS: fc.integer({ min: -200, max: 500 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 1, maxLength: 12 }), async (steps) => {
        const keys = new FakeKeys();
        const cached = jwtBench({}, { keys });
        for (const { token: sent, set, deltaS } of steps) {
          keys.set = set;
          const wallMs = NOW_MS + deltaS * 1000;
          const expected = await verdictOf(jwtBench({}, { keys, cache: createTokenCache(1) }), bearer(sent), wallMs);
          assert.equal(await verdictOf(cached, bearer(sent), wallMs), expected);
        }
      }),
      { numRuns: 40 },
    );
  });
});

describe('the keys of an issuer', () => {
  const unavailable = new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'down');

  it('cold and down are a fault with Retry-After, never an allow, also in Audit', async () => {
    const keys = new FakeKeys();
    keys.next = unavailable;
    for (const mode of ['Enforce', 'Audit'] as const) {
      const { refusal, identity } = await authenticate(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS)), { mode });
      assert.deepEqual(refusal, { reason: 'issuer_unavailable', rule: 'sso', retryAfterS: 10 });
      assert.equal(identity.kind, 'anonymous');
    }
  });

  it('throw on what nobody foresaw, so that the engine answers internal', async () => {
    const keys = new FakeKeys();
    keys.next = new TypeError('bug');
    await assert.rejects(authenticate(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS))), TypeError);
  });

  it('are asked for once more when a kid is unknown, and a rotated key then verifies', async () => {
    const keys = new FakeKeys(keySet(EC.key));
    keys.next = keySet(EC.key, RSA.key);
    assert.equal(await verdictOf(jwtBench({}, { keys }), bearer(aToken(RSA, CLAIMS))), 'jwt');
    assert.equal(keys.fetched, 1);
  });

  it('are not asked for by a bad signature, header or form', async () => {
    const keys = new FakeKeys(keySet(RSA.key));
    const bench = jwtBench({}, { keys });
    for (const token of [aToken(aSigner('RS256'), CLAIMS), aToken(RSA, CLAIMS, { alg: 'none', kid: 'x' }), 'a.b.c']) {
      await authenticate(bench, bearer(token));
    }
    assert.equal(keys.fetched, 0);
  });
});

describe('a mutated token', () => {
  it('never verifies (property)', async () => {
    const good = SIGNERS.map((signer) => aToken(signer, CLAIMS));
    const mutation = fc.record({
      token: fc.constantFrom(...good),
      at: fc.nat({ max: 2000 }),
      with: fc.constantFrom('A', 'B', 'x', '0', '_', '-', '.', '=', '!', ' ', 'é', '', 'AA', '\u0000'),
      deletes: fc.integer({ min: 0, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(mutation, async ({ token, at, with: text, deletes }) => {
        const position = at % token.length;
        const mutated = token.slice(0, position) + text + token.slice(position + deletes);
        fc.pre(mutated !== token && mutated.trim() !== token);
        const bench = jwtBench();
        for (const original of good) await authenticate(bench, bearer(original));
        assert.notEqual(await verdictOf(bench, bearer(mutated)), 'jwt');
      }),
      { numRuns: 150 },
    );
  });

  it('never verifies with parts of two tokens joined', async () => {
    const tokens = SIGNERS.flatMap((signer) =>
      ['ann', 'bob'].map((sub) => aToken(signer, { ...CLAIMS, sub }).split('.')),
    );
    const bench = jwtBench();
    for (const a of tokens) {
      for (const b of tokens) {
        if (a === b) continue;
        const mixed = [a[0], a[1] === b[1] ? part({ ...CLAIMS, sub: 'eve' }) : b[1], a[2]].join('.');
        assert.notEqual(await verdictOf(bench, bearer(mixed)), 'jwt');
      }
    }
  });
});

describe('identity.id', () => {
  it('is the vector of the docs', () => {
    const field = (text: string): Buffer => {
      const bytes = Buffer.from(text);
      const length = Buffer.alloc(4);
      length.writeUInt32BE(bytes.length);
      return Buffer.concat([length, bytes]);
    };
    const bytes = Buffer.concat(['jwt', ISSUER, 'ann'].map(field));
    assert.equal(identityId('jwt', ISSUER, 'ann'), 'TJ_Rlx07OECR-DfdwMdIhA');
    assert.equal(hash('sha256', bytes, 'buffer').subarray(0, 16).toString('base64url'), 'TJ_Rlx07OECR-DfdwMdIhA');
  });
});
