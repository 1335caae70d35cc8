import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { PosternError } from '../../core/error.ts';
import { authenticate, bearer, ISSUER, NOW_S } from './authn.fixture.ts';
import { aSigner, aToken, CLAIMS, FakeKeys, hmacToken, jwtBench, part, RSA } from './token.fixture.ts';

const SECRET = 'hunter2';
/** Claims that must turn up nowhere but in the token. */
const OWN = { ...CLAIMS, sub: SECRET, email: `${SECRET}@example.org` };
const header = (more: object): Record<string, unknown> => ({ alg: 'RS256', kid: 'k1', ...more });
const { exp: _exp, ...NO_END } = OWN;

/** What is wrong with a token, and what an operator reads of it. */
const TABLE: readonly (readonly [what: string, token: string, cause: string, jwt?: object])[] = [
  ['another audience', aToken(RSA, { ...OWN, aud: SECRET }), 'the audience is none that the method takes'],
  ['no audience', aToken(RSA, { ...OWN, aud: undefined }), 'the audience is none that the method takes'],
  [
    'an audience that is no text',
    aToken(RSA, { ...OWN, aud: ['orders', 5] }),
    'the audience is none that the method takes',
  ],
  ['no end', aToken(RSA, NO_END), 'exp is missing'],
  ['an end that is no number', aToken(RSA, { ...OWN, exp: SECRET }), 'exp, nbf or iat is no number'],
  ['an end that has passed', aToken(RSA, { ...OWN, exp: NOW_S - 999 }), 'exp has passed'],
  ['a beginning to come', aToken(RSA, { ...OWN, nbf: NOW_S + 999 }), 'it is not valid yet'],
  ['an issue to come', aToken(RSA, { ...OWN, iat: NOW_S + 999 }), 'it is not valid yet'],
  ['a subject that is no text', aToken(RSA, { ...OWN, sub: [SECRET] }), 'sub is no Unicode text'],
  [
    'an unknown kid',
    aToken(RSA, OWN, header({ kid: SECRET })),
    'no key of the issuer has its kid and fits its algorithm',
  ],
  ['a kid that is no text', aToken(RSA, OWN, header({ kid: [SECRET] })), 'its kid is no text'],
  ['a bad signature', aToken(aSigner('RS256'), OWN), 'the signature is wrong'],
  ['another typ', aToken(RSA, OWN, header({ typ: SECRET })), 'its typ is not taken'],
  ['no alg', `${part({ alg: 'none' })}.${part(OWN)}.AAAA`, 'its algorithm is not taken'],
  ['an alg of secrets', hmacToken(SECRET, header({ alg: 'HS256' }), OWN), 'its algorithm is not taken'],
  ['crit', aToken(RSA, OWN, header({ crit: [SECRET] })), 'its header asks for crit, b64 or zip, which are not taken'],
  [
    'a missing claim',
    aToken(RSA, OWN),
    'the claim "org.id" is missing',
    { requiredClaims: [{ path: ['org', 'id'], present: {} }] },
  ],
  [
    'another value of a claim',
    aToken(RSA, { ...OWN, org: SECRET }),
    'the claim "org" is not what the method requires',
    { requiredClaims: [{ path: ['org'], value: 'acme' }] },
  ],
  [
    'another issuer',
    aToken(RSA, { ...OWN, iss: `https://${SECRET}.example.org` }),
    'no method takes tokens of this issuer',
  ],
  ['no form of a token', `${SECRET}.${SECRET}.${SECRET}`, 'what was sent is no signed JWT of three parts'],
];

describe('the cause of a token that proves nobody', () => {
  for (const [what, token, cause, jwt] of TABLE) {
    it(`tells an operator of ${what}, and nothing that is in it`, async () => {
      const { refusal } = await authenticate(jwtBench(jwt), bearer(token));
      assert.equal(refusal?.cause, cause);
      const said = JSON.stringify(refusal);
      for (const part of [SECRET, ...token.split('.')]) assert.ok(!said.includes(part), `${part}: ${said}`);
      assert.equal(refusal.detail, undefined, 'a client reads no more than the reason');
    });
  }

  it('tells of keys that cannot be had', async () => {
    const keys = new FakeKeys();
    keys.next = new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', `${ISSUER} is down`);
    const { refusal } = await authenticate(jwtBench({}, { keys }), bearer(aToken(RSA, OWN)));
    assert.equal(refusal?.cause, 'no keys of the issuer can be had');
  });
});
