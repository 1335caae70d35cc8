import assert from 'node:assert/strict';
import { generateKeyPairSync, randomUUID } from 'node:crypto';
import { createServer, type RequestListener, type Server } from 'node:http';
import { type AddressInfo, BlockList } from 'node:net';
import { after, before, describe, it } from 'node:test';
import { type JWK, Provider } from 'oidc-provider';
import { createKeySources } from '../../internal/keys/key-sources.ts';
import { NOTHING_FORBIDDEN, OutboundClient } from '../../internal/keys/outbound.ts';
import { COOLDOWN_MS, DEFAULT_FRESH_MS, GRACE_MS } from '../../internal/keys/remote-keys.ts';
import { aBench, authenticate, type Bench, bearer } from '../../internal/phases/authn/authn.fixture.ts';

const AUDIENCE = 'https://orders.example.org';
const CLIENT = { id: 'batch', secret: 'batch-secret-0123456789abcdef' };

/** A private key as the provider is configured with. */
const newKey = (kid: string): JWK =>
  ({
    ...generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ format: 'jwk' }),
    kid,
    use: 'sig',
    alg: 'RS256',
  }) as JWK;

/** A real OpenID provider on loopback, whose keys a test rotates and which it takes down. */
class Issuer {
  readonly requests: string[] = [];
  readonly #server: Server;
  #handle: RequestListener = () => undefined;
  #port = 0;

  constructor() {
    this.#server = createServer((request, response) => {
      this.requests.push(request.url ?? '');
      this.#handle(request, response);
    });
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  listen(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', () => {
        this.#port = (this.#server.address() as AddressInfo).port;
        resolve();
      });
    });
  }

  close(): Promise<void> {
    this.#server.closeAllConnections();
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
    });
  }

  /** Signs with the first key and publishes all of them. */
  use(...keys: readonly JWK[]): void {
    const provider = new Provider(this.url, {
      jwks: { keys: [...keys] },
      cookies: { keys: ['test'] },
      clients: [
        {
          client_id: CLIENT.id,
          client_secret: CLIENT.secret,
          grant_types: ['client_credentials'],
          redirect_uris: [],
          response_types: [],
        },
      ],
      features: {
        devInteractions: { enabled: false },
        clientCredentials: { enabled: true },
        resourceIndicators: {
          enabled: true,
          defaultResource: () => AUDIENCE,
          useGrantedResource: () => true,
          getResourceServerInfo: () => ({
            scope: 'orders:read orders:write',
            audience: AUDIENCE,
            accessTokenTTL: 600,
            accessTokenFormat: 'jwt' as const,
            jwt: { sign: { alg: 'RS256' as const } },
          }),
        },
      },
    });
    this.#handle = provider.callback();
  }

  async token(): Promise<string> {
    const response = await fetch(`${this.url}/token`, {
      method: 'POST',
      headers: { authorization: `Basic ${Buffer.from(`${CLIENT.id}:${CLIENT.secret}`).toString('base64')}` },
      body: new URLSearchParams({ grant_type: 'client_credentials', scope: 'orders:read' }),
    });
    const { access_token: token } = (await response.json()) as { readonly access_token: string };
    assert.equal(response.status, 200);
    return token;
  }
}

describe('an OpenID provider', () => {
  const issuer = new Issuer();
  const none = new BlockList();
  const client = new OutboundClient({ isRelaxed: true, allowed: none, forbidden: NOTHING_FORBIDDEN });
  let monotonicMs = 0;
  const clock = { wallMs: () => Date.parse('2030-01-01'), monotonicMs: () => monotonicMs };
  const newBench = (audiences: readonly string[] = [AUDIENCE]): Bench => {
    const sources = createKeySources({ client, clock, random: () => 0, observe: () => undefined });
    const source = sources.byDiscovery(issuer.url, 'shop');
    assert.notEqual(typeof source, 'string');
    const authentication = {
      methods: [{ name: 'sso', jwt: { issuer: issuer.url, audiences, types: ['at+jwt'] } }],
    };
    return typeof source === 'string' ? assert.fail(source) : aBench({ authentication, keys: source });
  };
  const ask = async (bench: Bench, token: string): Promise<unknown> => {
    const { refusal, identity, isSync } = await authenticate(bench, bearer(token), { wallMs: issuedMs + 1000 });
    return refusal?.reason ?? [identity.subject, isSync];
  };
  let issuedMs = 0;
  const key1 = newKey('k1');
  const key2 = newKey('k2');

  before(async () => {
    await issuer.listen();
    issuer.use(key1);
    const [, payload = ''] = (await issuer.token()).split('.');
    issuedMs = JSON.parse(Buffer.from(payload, 'base64url').toString()).iat * 1000;
  });
  after(async () => {
    await issuer.close();
    await client.close();
  });

  it('is discovered, and its access token proves the client and its scopes', async () => {
    const bench = newBench();
    const token = await issuer.token();
    const { identity } = await authenticate(bench, bearer(token), { wallMs: issuedMs + 1000 });
    assert.deepEqual(
      [identity.kind, identity.issuer, identity.subject, identity.scopes, identity.method],
      ['jwt', issuer.url, CLIENT.id, ['orders:read'], 'sso'],
    );
    assert.deepEqual(await ask(bench, token), [CLIENT.id, true]);
  });

  it('gives tokens that are nobody’s for another audience, altered, or after their end', async () => {
    const token = await issuer.token();
    assert.equal(await ask(newBench(['https://billing.example.org']), token), 'token_invalid');
    const [header, , signature] = token.split('.');
    const claims = { iss: issuer.url, aud: AUDIENCE, sub: randomUUID(), exp: issuedMs / 1000 + 600 };
    const altered = [header, Buffer.from(JSON.stringify(claims)).toString('base64url'), signature].join('.');
    assert.equal(await ask(newBench(), altered), 'token_invalid');
    const { refusal } = await authenticate(newBench(), bearer(token), { wallMs: issuedMs + 700_000 });
    assert.equal(refusal?.reason, 'token_expired');
  });

  it('is asked once for a burst of first tokens', async () => {
    const bench = newBench();
    const token = await issuer.token();
    issuer.requests.length = 0;
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => ask(bench, token)));
    assert.deepEqual(outcomes, Array(20).fill([CLIENT.id, false]));
    assert.deepEqual(issuer.requests, ['/.well-known/openid-configuration', '/jwks']);
  });

  it('rotates unannounced: a token of the new key verifies, one of the withdrawn key no longer does', async () => {
    const bench = newBench();
    const old = await issuer.token();
    assert.deepEqual(await ask(bench, old), [CLIENT.id, false]);
    issuer.use(key2, key1);
    const fresh = await issuer.token();
    assert.equal(await ask(bench, fresh), 'token_invalid');
    monotonicMs += COOLDOWN_MS;
    assert.deepEqual(await ask(bench, fresh), [CLIENT.id, false]);
    assert.deepEqual(await ask(bench, old), [CLIENT.id, true]);
    issuer.use(key2);
    monotonicMs += DEFAULT_FRESH_MS + GRACE_MS;
    assert.equal(await ask(bench, old), 'token_invalid');
    assert.deepEqual(await ask(bench, fresh), [CLIENT.id, true]);
    issuer.use(key1);
  });

  it('down, leaves those alone whose keys are known, and is a fault where they are not', async () => {
    const known = newBench();
    const token = await issuer.token();
    await ask(known, token);
    await issuer.close();
    monotonicMs += DEFAULT_FRESH_MS + GRACE_MS;
    assert.deepEqual(await ask(known, token), [CLIENT.id, false]);
    const cold = newBench();
    const { refusal } = await authenticate(cold, bearer(token), { wallMs: issuedMs + 1000 });
    const cause = 'no keys of the issuer can be had';
    assert.deepEqual(refusal, { reason: 'issuer_unavailable', rule: 'sso', retryAfterS: 10, cause });
    await issuer.listen();
    monotonicMs += 10_000;
    assert.deepEqual(await ask(cold, token), [CLIENT.id, false]);
  });
});
