import type { JSONWebKeySet, JWK } from 'jose';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { parseStrictJson } from '../core/strict-json.ts';
import type { KeySources } from '../phases/authn/compile.ts';
import type { KeySet, KeySource } from '../phases/authn/key-source.ts';
import { usableKeys } from './key-set.ts';
import type { OutboundClient } from './outbound.ts';
import { RemoteKeys } from './remote-keys.ts';

export interface KeySourcesOptions {
  readonly client: OutboundClient;
  readonly clock: Clock;
  readonly random: () => number;
  /** Told of every fetch, for metrics and the log; `url` is the issuer's or the set's. */
  readonly observe: (result: 'ok' | 'error', url: string, why?: string) => void;
}

/** Most remote sources kept; beyond it the one unused longest is forgotten. */
const MAX_SOURCES = 1000;

/** Key sources of one instance: policies that name the same issuer or URL share one, and its fetches. */
export function createKeySources(options: KeySourcesOptions): KeySources {
  const remote = new Map<string, RemoteKeys>();
  const shared = (kind: 'issuer' | 'url', url: string, locate: () => Promise<string>): KeySource => {
    const key = `${kind} ${url}`;
    const known = remote.get(key);
    if (known !== undefined) {
      remote.delete(key);
      remote.set(key, known);
      return known;
    }
    const { client, clock, random, observe } = options;
    const source = new RemoteKeys({ locate, get: (from) => client.get(from), clock, random, observe: (result, why) => observe(result, url, why) });
    remote.set(key, source);
    if (remote.size > MAX_SOURCES) remote.delete(remote.keys().next().value ?? '');
    return source;
  };
  return {
    byUrl: (url) => shared('url', url, () => Promise.resolve(url)),
    byDiscovery: (issuer) => shared('issuer', issuer, () => discover(issuer, options.client)),
    inline: (set) => new InlineKeys(set),
  };
}

/**
 * The issuer's `jwks_uri`, by OpenID Connect Discovery (appended) or RFC 8414 §3.1 (inserted before the path). The
 * document must name this very issuer.
 */
async function discover(issuer: string, client: OutboundClient): Promise<string> {
  const { origin, pathname } = new URL(issuer);
  const path = pathname === '/' ? '' : pathname.replace(/\/$/, '');
  const forms = [`${origin}${path}/.well-known/openid-configuration`, `${origin}/.well-known/oauth-authorization-server${path}`];
  let failure: unknown;
  for (const form of forms) {
    try {
      return jwksUri((await client.get(form)).body, issuer);
    } catch (error) {
      failure ??= error;
    }
  }
  throw failure;
}

function jwksUri(body: string, issuer: string): string {
  const parsed = parseStrictJson(body);
  const document = parsed.ok ? (parsed.value as { readonly issuer?: unknown; readonly jwks_uri?: unknown } | null) : null;
  if (document?.issuer !== issuer) throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', `The discovery document names another issuer than "${issuer}"`);
  if (typeof document.jwks_uri !== 'string') throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', 'The discovery document has no jwks_uri');
  return document.jwks_uri;
}

/** Keys written into the policy: read once, never fetched. */
class InlineKeys implements KeySource {
  readonly #loaded: Promise<KeySet>;
  #set: KeySet | undefined = undefined;

  constructor(set: JSONWebKeySet) {
    this.#loaded = usableKeys(set, true).then((keys: ReadonlyMap<string, JWK>) => {
      this.#set = Object.freeze({ keys, version: 1 });
      return this.#set;
    });
  }

  current(): KeySet | undefined {
    return this.#set;
  }

  fetch(): Promise<KeySet> {
    return this.#loaded;
  }
}
