import { PosternError } from '../core/error.ts';
import { parseStrictJson } from '../core/strict-json.ts';

/** What is wrong with an issuer as a place to discover keys at; undefined when nothing is (RFC 8414 §2). */
export function whyUndiscoverable(issuer: string): string | undefined {
  if (!/^https?:\/\//.test(issuer))
    return 'Keys are discovered only of an issuer that is a URL: set jwks.url or jwks.inline';
  if (/[?#]/.test(issuer)) return 'An issuer with "?" or "#" has no discovery document: set jwks.url';
  return undefined;
}

/**
 * Where an issuer's discovery document can lie: OpenID Connect Discovery §4 appends the well-known path to the issuer,
 * RFC 8414 §3.1 inserts one before the issuer's path.
 */
export function discoveryUrls(issuer: string): readonly string[] {
  const { origin, pathname } = new URL(issuer);
  const path = pathname.replace(/\/$/, '');
  return [
    `${origin}${path}/.well-known/openid-configuration`,
    `${origin}/.well-known/oauth-authorization-server${path}`,
  ];
}

/**
 * The issuer's `jwks_uri`. The document must name this very issuer, byte for byte (RFC 8414 §3.3), and an https issuer
 * keys over https.
 *
 * @param get fetches a URL's body
 * @throws {PosternError} ERR_POSTERN_KEYS_UNAVAILABLE, and what `get` throws
 */
export async function discoverKeys(issuer: string, get: (url: string) => Promise<string>): Promise<string> {
  let failure: unknown;
  for (const url of discoveryUrls(issuer)) {
    try {
      return jwksUri(await get(url), issuer);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function jwksUri(body: string, issuer: string): string {
  const parsed = parseStrictJson(body);
  const document = parsed.ok && typeof parsed.value === 'object' && parsed.value !== null ? parsed.value : {};
  const { issuer: named, jwks_uri: uri } = document as Readonly<Record<string, unknown>>;
  if (named !== issuer) throw unavailable(`The discovery document names another issuer than "${issuer}"`);
  if (typeof uri !== 'string') throw unavailable('The discovery document has no jwks_uri');
  if (issuer.startsWith('https:') && !uri.startsWith('https:')) throw unavailable('The jwks_uri is not https');
  return uri;
}

const unavailable = (message: string): PosternError => new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', message);
