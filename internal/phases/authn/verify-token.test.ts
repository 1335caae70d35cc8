import assert from 'node:assert/strict';
import { createSecretKey } from 'node:crypto';
import { describe, it } from 'node:test';
import { aBench, authenticate, bearer, ISSUER, verdictOf } from './authn.fixture.ts';
import {
  aSigner,
  aToken,
  CLAIMS,
  EC,
  FakeKeys,
  hmacToken,
  jwtBench,
  KEYS,
  keySet,
  part,
  RSA,
  type Signer,
  signatureOf,
  tokenVerdict,
} from './token.fixture.ts';

describe('a token header', () => {
  const sub = (header: object): string => aToken(RSA, CLAIMS, { alg: 'RS256', kid: 'k1', ...header });

  it('refuses alg none in any case, a missing alg and an empty signature', async () => {
    for (const alg of ['none', 'None', 'NONE', 'nOnE', undefined, null, 5, ['RS256'], '']) {
      const token = `${part({ alg, kid: 'k1' })}.${part(CLAIMS)}.AAAA`;
      assert.equal(await tokenVerdict(token), 'token_invalid', String(alg));
    }
    for (const tail of ['', '=', ' ']) {
      assert.equal(await tokenVerdict(`${part({ alg: 'none' })}.${part(CLAIMS)}.${tail}`), 'token_malformed');
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
        assert.equal(await tokenVerdict(hmacToken(secret, { alg: 'HS256', kid }, CLAIMS)), 'token_invalid');
      }
    }
  });

  it('refuses an algorithm that the policy does not list, or that is not for the key', async () => {
    assert.equal(await tokenVerdict(aToken(RSA, CLAIMS), { algorithms: ['ES256'] }), 'token_invalid');
    assert.equal(await tokenVerdict(aToken({ ...EC, key: RSA.key }, CLAIMS)), 'token_invalid');
    // An RSA key said to be for PS256 verifies no RS256.
    const stated = aSigner('RS256', 'k9', 'PS256');
    const bench = jwtBench({}, { keys: new FakeKeys(keySet(stated.key)) });
    assert.equal(await verdictOf(bench, bearer(aToken(stated, CLAIMS))), 'token_invalid');
  });

  it('refuses an unknown kid, one that is no text, and takes none from the prototype', async () => {
    for (const kid of ['other', '../../dev/null', "' or 1=1 --", '__proto__', 'constructor', '', null, 5, ['k1'], {}]) {
      assert.equal(await tokenVerdict(sub({ kid })), 'token_invalid', String(kid));
    }
  });

  it('never reads jku, x5u, jwk or x5c: the keys are the issuer’s', async () => {
    const stranger = aSigner('RS256', 'evil');
    const jwk = stranger.publicKey.export({ format: 'jwk' });
    const foreign = { jku: 'https://evil.example.org/jwks', x5u: 'https://evil.example.org/x', jwk, x5c: ['AAAA'] };
    for (const kid of ['k1', 'evil', undefined]) {
      assert.equal(await tokenVerdict(aToken(stranger, CLAIMS, { alg: 'RS256', kid, ...foreign })), 'token_invalid');
    }
    assert.equal(await tokenVerdict(sub(foreign)), 'jwt');
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
      assert.equal(await tokenVerdict(sub(header)), 'token_invalid', JSON.stringify(header));
    }
  });

  it('accepts by default no typ, JWT and at+jwt, and refuses tokens made for something else', async () => {
    for (const typ of [undefined, 'JWT', 'jwt', 'at+jwt', 'AT+JWT', 'application/at+jwt', 'application/jwt']) {
      assert.equal(await tokenVerdict(sub({ typ })), 'jwt', String(typ));
    }
    for (const typ of ['logout+jwt', 'dpop+jwt', 'secevent+jwt', 'JOSE', '', 'application/', null, 5, ['JWT']]) {
      assert.equal(await tokenVerdict(sub({ typ })), 'token_invalid', String(typ));
    }
  });

  it('with types in the policy accepts those alone, and no absent one', async () => {
    const types = ['application/at+jwt'];
    assert.equal(await tokenVerdict(sub({ typ: 'at+jwt' }), { types }), 'jwt');
    assert.equal(await tokenVerdict(sub({ typ: 'JWT' }), { types }), 'token_invalid');
    assert.equal(await tokenVerdict(sub({}), { types }), 'token_invalid');
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
      assert.equal(await tokenVerdict(`${input}.${signature.toString('base64url')}`), 'token_invalid');
    }
    assert.equal(await tokenVerdict(`${input}.${raw.toString('base64url')}`), 'jwt');
  });

  it('of another key with the same kid, or of another realm of the same host, is 401', async () => {
    const other = aSigner('RS256', 'k1');
    assert.equal(await tokenVerdict(aToken(other, CLAIMS)), 'token_invalid');
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

describe('a symmetric key', () => {
  const secret = Buffer.alloc(48, 7);
  const key = createSecretKey(secret);
  const verdictFor = (alg: string, stated?: string): Promise<string> => {
    const id = `oct/${stated}`;
    const set = keySet({ id, kid: undefined, alg: stated, type: 'oct', curve: undefined, key }, RSA.key);
    const bench = jwtBench(
      { algorithms: ['HS256', 'HS384', 'HS512'], jwks: { inline: '{}' } },
      { keys: new FakeKeys(set) },
    );
    return verdictOf(bench, bearer(hmacToken(secret, { alg }, CLAIMS, alg)));
  };

  it('verifies what it is long enough for (RFC 7518 §3.2), and only its own algorithm', async () => {
    assert.deepEqual(await Promise.all(['HS256', 'HS384', 'HS512'].map((alg) => verdictFor(alg))), [
      'jwt',
      'jwt',
      'token_invalid',
    ]);
    assert.equal(await verdictFor('HS256', 'HS384'), 'token_invalid');
  });

  it('never verifies for a method of asymmetric algorithms', async () => {
    const set = keySet({ id: 'oct', kid: undefined, alg: undefined, type: 'oct', curve: undefined, key });
    const bench = jwtBench({}, { keys: new FakeKeys(set) });
    assert.equal(await verdictOf(bench, bearer(hmacToken(secret, { alg: 'HS256' }, CLAIMS))), 'token_invalid');
  });
});
