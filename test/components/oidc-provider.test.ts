import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { createRemoteJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { type OidcProvider, startOidcProvider } from './oidc-provider.ts';

const AUDIENCE = 'https://orders.example.org';

describe('a real OpenID provider', () => {
  let provider: OidcProvider;
  before(async () => {
    provider = await startOidcProvider({ audience: AUDIENCE });
  });
  after(() => provider?.stop());

  const verify = (token: string): Promise<unknown> => {
    const keys = createRemoteJWKSet(new URL(`${provider.issuer}/jwks`));
    return jwtVerify(token, keys, { issuer: provider.issuer, audience: AUDIENCE, typ: 'at+jwt' }).then(
      ({ payload }) => payload.scope,
      (error: { code?: string }) => error.code,
    );
  };

  it('gives access tokens as JWTs for the audience', async () => {
    assert.equal(await verify(await provider.token('orders:read')), 'orders:read');
  });

  it('signs with a new key when told so, and still publishes the old one', async () => {
    const old = await provider.token();
    const kid = provider.rotate();
    assert.equal(decodeProtectedHeader(await provider.token()).kid, kid);
    assert.equal(await verify(old), undefined);
  });

  it('forgets older keys when told so', async () => {
    const old = await provider.token();
    provider.rotate({ forget: true });
    assert.equal(await verify(old), 'ERR_JWKS_NO_MATCHING_KEY');
  });

  it('is away once it is stopped', async () => {
    const other = await startOidcProvider({ audience: AUDIENCE });
    await other.stop();
    await assert.rejects(other.token(), /fetch failed/);
  });
});
