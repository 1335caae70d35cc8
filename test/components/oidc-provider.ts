import { generateKeyPairSync } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import { type JWK, Provider } from 'oidc-provider';

/** A real, certified OpenID provider on loopback. */
export interface OidcProvider {
  readonly issuer: string;
  /** Paths that were asked for, newest last. */
  readonly requests: readonly string[];
  /** An access token of its client for the audience, a JWT (RFC 9068). */
  token(scope?: string): Promise<string>;
  /** Signs with a new key from now on; says its `kid`. With `forget` the older ones are published no more. */
  rotate(options?: { readonly forget?: boolean }): string;
  stop(): Promise<void>;
  /** Listens again where it did before `stop`, with the same keys. */
  restart(): Promise<void>;
}

export interface OidcOptions {
  readonly audience: string;
  /** `orders:read orders:write` by default. */
  readonly scopes?: string;
  readonly tokenSeconds?: number;
}

const CLIENT = { client_id: 'batch', client_secret: 'batch-secret-0123456789abcdef' };
const ALGORITHM = 'RS256';

export async function startOidcProvider(options: OidcOptions): Promise<OidcProvider> {
  const requests: string[] = [];
  let handle: RequestListener = (_, response) => void response.writeHead(503).end();
  const server = createServer((request, response) => {
    requests.push(request.url ?? '');
    handle(request, response);
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  const issuer = `http://127.0.0.1:${typeof address === 'object' && address !== null ? address.port : 0}`;
  let keys: JWK[] = [];
  let made = 0;
  const rotate = ({ forget = false }: { readonly forget?: boolean } = {}): string => {
    made += 1;
    const kid = `key-${made}`;
    keys = [newKey(kid), ...(forget ? [] : keys)];
    handle = newProvider(issuer, keys, options).callback();
    return kid;
  };
  rotate();
  return {
    issuer,
    requests,
    rotate,
    token: (scope = '') => fetchToken(issuer, scope),
    async stop() {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
    async restart() {
      await once(server.listen(Number(new URL(issuer).port), '127.0.0.1'), 'listening');
    },
  };
}

const newKey = (kid: string): JWK => {
  const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
  return { ...privateKey.export({ format: 'jwk' }), kid, use: 'sig', alg: ALGORITHM } as JWK;
};

/** The first key signs; all are published. */
function newProvider(issuer: string, keys: JWK[], { audience, scopes, tokenSeconds = 600 }: OidcOptions): Provider {
  const resource = {
    audience,
    scope: scopes ?? 'orders:read orders:write',
    accessTokenTTL: tokenSeconds,
    accessTokenFormat: 'jwt' as const,
    jwt: { sign: { alg: ALGORITHM } as const },
  };
  const client = { ...CLIENT, grant_types: ['client_credentials'], redirect_uris: [], response_types: [] };
  return new Provider(issuer, {
    jwks: { keys },
    cookies: { keys: ['test'] },
    clients: [client],
    features: {
      devInteractions: { enabled: false },
      clientCredentials: { enabled: true },
      resourceIndicators: {
        enabled: true,
        defaultResource: () => audience,
        useGrantedResource: () => true,
        getResourceServerInfo: () => resource,
      },
    },
  });
}

async function fetchToken(issuer: string, scope: string): Promise<string> {
  const basic = Buffer.from(`${CLIENT.client_id}:${CLIENT.client_secret}`).toString('base64');
  const response = await fetch(`${issuer}/token`, {
    method: 'POST',
    headers: { authorization: `Basic ${basic}` },
    body: new URLSearchParams({ grant_type: 'client_credentials', ...(scope !== '' && { scope }) }),
  });
  const body = (await response.json()) as { readonly access_token?: string; readonly error_description?: string };
  if (body.access_token === undefined) throw new Error(`The provider gave no token: ${body.error_description}`);
  return body.access_token;
}
