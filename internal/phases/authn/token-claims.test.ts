import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { ISSUER, NOW_S } from './authn.fixture.ts';
import { aToken, CLAIMS, RSA, tokenVerdict } from './token.fixture.ts';

/** A number that no double holds is no JSON that all read alike. */
const NO_TIMES = [
  ['1e400', 'token_malformed'],
  ['-1e400', 'token_malformed'],
  ['"1"', 'token_invalid'],
  ['null', 'token_invalid'],
] as const;

describe('claims', () => {
  const raw = (members: string): string => `{"iss":"${ISSUER}","aud":"orders","sub":"ann",${members}}`;

  it('need a finite numeric exp that has not passed by more than the skew', async () => {
    for (const exp of ['"9999999999"', 'null', 'true', '[9999999999]', '{}']) {
      const outcome = await tokenVerdict(aToken(RSA, raw(`"exp":${exp}`)));
      assert.ok(outcome === 'token_invalid' || outcome === 'token_expired', `${exp}: ${outcome}`);
    }
    for (const exp of ['1e400', '-1e400'])
      assert.equal(await tokenVerdict(aToken(RSA, raw(`"exp":${exp}`))), 'token_malformed', exp);
    assert.equal(await tokenVerdict(aToken(RSA, raw('"x":1'))), 'token_invalid');
    const at = (exp: number): Promise<string> => tokenVerdict(aToken(RSA, { ...CLAIMS, nbf: 0, iat: 0, exp }));
    assert.deepEqual(await Promise.all([at(NOW_S - 59), at(NOW_S - 60), at(NOW_S - 61)]), [
      'jwt',
      'token_expired',
      'token_expired',
    ]);
  });

  it('refuse nbf and iat beyond the skew, and those that are no finite numbers', async () => {
    for (const name of ['nbf', 'iat']) {
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, [name]: NOW_S + 60 })), 'jwt');
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, [name]: NOW_S + 61 })), 'token_invalid');
      for (const [value, verdict] of NO_TIMES) {
        const outcome = await tokenVerdict(aToken(RSA, raw(`"exp":${NOW_S + 60},"${name}":${value}`)));
        assert.equal(outcome, verdict, `${name} ${value}`);
      }
    }
  });

  it('use the skew that the policy gives', async () => {
    const token = aToken(RSA, { ...CLAIMS, nbf: 0, iat: 0, exp: NOW_S - 1 });
    assert.equal(await tokenVerdict(token, { clockSkew: '0s' }), 'token_expired');
    assert.equal(await tokenVerdict(token, { clockSkew: '2s' }), 'jwt');
  });

  it('need an audience of the policy, as text or in a list of texts', async () => {
    for (const aud of ['orders', ['orders'], ['billing', 'orders']]) {
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, aud })), 'jwt', JSON.stringify(aud));
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
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, aud })), 'token_invalid', JSON.stringify(aud));
    }
  });

  it('accept any audience, and none, only where the policy says so in so many words', async () => {
    for (const aud of ['billing', undefined, ['x']]) {
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, aud }), { audiences: ['*'] }), 'jwt');
    }
    assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, aud: '*' })), 'token_invalid');
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
      assert.equal(await tokenVerdict(aToken(RSA, { ...CLAIMS, iss })), 'credential_unknown', JSON.stringify(iss));
    }
  });

  it('that the policy requires are there, or are or list its text', async () => {
    const ask = (requiredClaims: object[], claims: object): Promise<string> =>
      tokenVerdict(aToken(RSA, { ...CLAIMS, ...claims }), { requiredClaims });
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
      outcomes.push(await tokenVerdict(aToken(RSA, raw(`"exp":${NOW_S + 60}`).replace('"ann"', sub))));
    }
    assert.deepEqual(outcomes, ['token_malformed', 'token_malformed', ...Array<string>(3).fill('token_invalid')]);
  });
});
