import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { authenticate, bearer, ISSUER } from './authn.fixture.ts';
import { aToken, CLAIMS, jwtBench, part, RSA, signatureOf, tokenVerdict } from './token.fixture.ts';
import { MAX_TOKEN_LENGTH } from './token.ts';

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
      assert.equal(await tokenVerdict(token), 'token_malformed', token.slice(-20));
    }
  });

  it('cut by a few characters is 401', async () => {
    for (const cut of [1, 2, 3, 4, 5]) {
      const outcome = await tokenVerdict(good.slice(0, -cut));
      assert.ok(outcome.startsWith('token_'), outcome);
    }
  });

  it('refuses a JWE of five parts at once, zip bombs and PBES2 counts included', async () => {
    const headers = [
      { alg: 'PBES2-HS256+A128KW', enc: 'A128GCM', p2c: 2 ** 31, p2s: 'AAAA' },
      { alg: 'dir', enc: 'A128GCM', zip: 'DEF' },
    ];
    for (const header of headers) assert.equal(await tokenVerdict(`${part(header)}.AA.AA.AAAA.AA`), 'token_malformed');
  });

  it('is bounded before anything is decoded', async () => {
    const huge = aToken(RSA, { ...CLAIMS, filler: 'x'.repeat(MAX_TOKEN_LENGTH) });
    assert.equal(await tokenVerdict(huge), 'token_malformed');
    assert.equal(await tokenVerdict(`${'A'.repeat(60_000)}.${'A'.repeat(60_000)}.AA`), 'token_malformed');
    assert.equal(await tokenVerdict(`${'.'.repeat(60_000)}`), 'token_malformed');
  });

  it('refuses repeated members, also spelt with escapes, in header and payload', async () => {
    const claims = JSON.stringify(CLAIMS).slice(1);
    for (const payload of [`{"sub":"admin",${claims}`, `{"s\\u0075b":"admin",${claims}`, `{"iss":"x",${claims}`]) {
      assert.equal(await tokenVerdict(aToken(RSA, payload)), 'token_malformed');
    }
    for (const header of [
      '{"alg":"none","alg":"RS256","kid":"k1"}',
      '{"kid":"k1","a\\u006cg":"RS256","alg":"RS256"}',
    ]) {
      assert.equal(await tokenVerdict(aToken(RSA, CLAIMS, header)), 'token_malformed');
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
      assert.equal(await tokenVerdict(aToken(RSA, payload)), 'token_malformed', payload);
    }
    const input = `${part({ alg: 'RS256', kid: 'k1' })}.${Buffer.from([0x7b, 0xff, 0x7d]).toString('base64url')}`;
    assert.equal(await tokenVerdict(`${input}.${signatureOf(RSA, input).toString('base64url')}`), 'token_malformed');
  });

  it('keeps __proto__ inert, in header and payload', async () => {
    const claims = `{"__proto__":{"sub":"root","aud":"orders"},"constructor":{"prototype":1},${JSON.stringify(CLAIMS).slice(1)}`;
    const { identity } = await authenticate(jwtBench(), bearer(aToken(RSA, claims)));
    assert.equal(identity.subject, 'ann');
    assert.deepEqual(Object.keys(identity.claims ?? {}).slice(0, 2), ['__proto__', 'constructor']);
    const inherited = `{"__proto__":${JSON.stringify(CLAIMS)},"iss":${JSON.stringify(ISSUER)}}`;
    assert.equal(await tokenVerdict(aToken(RSA, inherited)), 'token_invalid');
    assert.equal(await tokenVerdict(aToken(RSA, CLAIMS, '{"__proto__":{"alg":"RS256","kid":"k1"}}')), 'token_invalid');
  });
});
