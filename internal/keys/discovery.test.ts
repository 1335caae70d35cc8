import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { discoverKeys, discoveryUrls, whyUndiscoverable } from './discovery.ts';

const ISSUER = 'https://sso.example.org/realms/shop';
const KEYS = 'https://sso.example.org/keys';
const APPENDED = `${ISSUER}/.well-known/openid-configuration`;
const INSERTED = 'https://sso.example.org/.well-known/oauth-authorization-server/realms/shop';

/** Discovery against documents by URL; what is not there is a 404. */
const discover = (documents: Readonly<Record<string, unknown>>, issuer = ISSUER): Promise<string> =>
  discoverKeys(issuer, async (url) => {
    const document = documents[url];
    if (document === undefined) throw new Error(`404 ${url}`);
    return typeof document === 'string' ? document : JSON.stringify(document);
  });

describe('discoveryUrls()', () => {
  it('appends for OpenID Connect and inserts for OAuth, one slash at the end or none', () => {
    assert.deepEqual(discoveryUrls(ISSUER), [APPENDED, INSERTED]);
    for (const issuer of ['https://t.example.org', 'https://t.example.org/']) {
      assert.deepEqual(discoveryUrls(issuer), [
        'https://t.example.org/.well-known/openid-configuration',
        'https://t.example.org/.well-known/oauth-authorization-server',
      ]);
    }
  });
});

describe('discoverKeys()', () => {
  it('finds the keys in either form', async () => {
    const document = { issuer: ISSUER, jwks_uri: KEYS };
    assert.equal(await discover({ [APPENDED]: document }), KEYS);
    assert.equal(await discover({ [INSERTED]: document }), KEYS);
    assert.equal(await discover({ [APPENDED]: { issuer: 'x' }, [INSERTED]: document }), KEYS);
  });

  it('wants the issuer byte for byte', async () => {
    for (const issuer of [`${ISSUER}/`, ISSUER.toUpperCase(), undefined, null, [ISSUER]]) {
      await assert.rejects(discover({ [APPENDED]: { issuer, jwks_uri: KEYS } }), {
        code: 'ERR_POSTERN_KEYS_UNAVAILABLE',
      });
    }
    const slashed = 'https://t.example.org/';
    const url = `${slashed}.well-known/openid-configuration`;
    assert.equal(await discover({ [url]: { issuer: slashed, jwks_uri: KEYS } }, slashed), KEYS);
    await assert.rejects(discover({ [url]: { issuer: slashed.slice(0, -1), jwks_uri: KEYS } }, slashed));
  });

  it('refuses a document that is none, repeats a member, or has no jwks_uri', async () => {
    const repeated = `{"issuer":"${ISSUER}","jwks_uri":"https://evil.example.org","jwks_uri":"${KEYS}"}`;
    for (const document of [
      '',
      '[]',
      'null',
      '<html>',
      repeated,
      { issuer: ISSUER },
      { issuer: ISSUER, jwks_uri: 5 },
    ]) {
      await assert.rejects(discover({ [APPENDED]: document }), { code: 'ERR_POSTERN_KEYS_UNAVAILABLE' });
    }
  });

  it('refuses plain http keys of an https issuer', async () => {
    await assert.rejects(discover({ [APPENDED]: { issuer: ISSUER, jwks_uri: KEYS.replace('https', 'http') } }), {
      code: 'ERR_POSTERN_KEYS_UNAVAILABLE',
    });
  });
});

describe('whyUndiscoverable()', () => {
  it('knows issuers that have no discovery document', () => {
    assert.equal(whyUndiscoverable(ISSUER), undefined);
    for (const issuer of [
      'joe',
      'urn:x',
      'kubernetes/serviceaccount',
      'https://x.example.org/?a',
      'https://x.example.org/#a',
    ]) {
      assert.notEqual(whyUndiscoverable(issuer), undefined, issuer);
    }
  });
});
