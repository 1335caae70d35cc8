import { PosternError } from '../../core/error.ts';
import type { Credential } from '../../core/evaluation.ts';
import type { Identity } from '../../core/identity.ts';
import type { JwtRules } from './jwt-rules.ts';
import type { KeySet } from './key-source.ts';
import type { ClaimFailure } from './refusals.ts';
import { looksLikeToken, parseToken } from './token.ts';
import { cachedIdentity, cacheKeyOf, digestOf, type TokenCache } from './token-cache.ts';
import { MALFORMED, type TokenFailure, UNAVAILABLE, UNKNOWN_KEY } from './token-failure.ts';
import { identityOfToken } from './token-identity.ts';
import { type Verdict, verifyWith, wrongHeader } from './verify-token.ts';

export { createTokenCache, type TokenCache } from './token-cache.ts';

/** A JWT method among those that read one carrier. */
export interface TokenReader {
  /** Index of the method in its policy. */
  readonly index: number;
  readonly rules: JwtRules;
}

/** The one method whose issuer a token names, unverified; with the token's place in the cache by that method's rules. */
export function claimToken(
  text: string,
  readers: readonly TokenReader[],
  cache: TokenCache,
): { readonly method: number; readonly cacheKey: string } | ClaimFailure {
  if (!looksLikeToken(text)) return 'token_malformed';
  const digest = digestOf(text);
  // A token that was verified before need not be taken apart to know whose it is.
  for (const { index, rules } of readers) {
    const cacheKey = cacheKeyOf(rules, digest);
    if (cache.has(cacheKey)) return { method: index, cacheKey };
  }
  const token = parseToken(text);
  if (token === undefined) return 'token_malformed';
  const issuer = token.payload.iss;
  for (const { index, rules } of readers)
    if (rules.issuer === issuer) return { method: index, cacheKey: cacheKeyOf(rules, digest) };
  return 'issuer_unknown';
}

export interface TokenContext {
  readonly name: string;
  readonly rules: JwtRules;
  readonly cache: TokenCache;
  readonly wallMs: number;
}

/** Whom a token proves: at once when it was verified before, else after its signature is. Never throws for a bad token. */
export function verifyToken(
  { value, cacheKey: known }: Credential,
  context: TokenContext,
): Identity | Promise<Identity | TokenFailure> {
  const cacheKey = known ?? cacheKeyOf(context.rules, digestOf(value));
  return cachedIdentity(context.cache, cacheKey, context) ?? verifyAnew(value, cacheKey, context);
}

async function verifyAnew(
  text: string,
  cacheKey: string,
  { name, rules, cache, wallMs }: TokenContext,
): Promise<Identity | TokenFailure> {
  const token = parseToken(text);
  if (token === undefined) return MALFORMED;
  const wrong = wrongHeader(token, rules);
  if (wrong !== undefined) return wrong;
  let keys: KeySet;
  let verdict: Verdict;
  try {
    keys = rules.keys.current() ?? (await rules.keys.fetch());
    verdict = await verifyWith(token, keys, { rules, wallMs });
    if (verdict === UNKNOWN_KEY) {
      // Issuers rotate unannounced (OpenID Connect Core §10.1.1); the source bounds how often this may ask.
      const newer = await rules.keys.fetch();
      if (newer !== keys) verdict = await verifyWith(token, newer, { rules, wallMs });
      keys = newer;
    }
  } catch (error) {
    if (error instanceof PosternError && error.code === 'ERR_POSTERN_KEYS_UNAVAILABLE') return UNAVAILABLE;
    throw error;
  }
  if (!('key' in verdict)) return verdict;
  const { key, startsMs, endsMs } = verdict;
  const identity = identityOfToken(token.payload, { name, issuer: rules.issuer, groupsPath: rules.groupsPath });
  cache.set(cacheKey, { identity, startsMs, endsMs, keyId: key.id, keySet: keys, bytes: 1024 + 4 * text.length });
  return identity;
}
