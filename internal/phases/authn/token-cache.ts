import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Identity } from '../../core/identity.ts';
import type { JwtRules } from './jwt-rules.ts';
import type { KeySet } from './key-source.ts';

/** What one verified token is worth, and until when. */
export interface Verified {
  readonly identity: Identity;
  /** Epoch milliseconds from which the token is good and at which it ends, skew included. */
  readonly startsMs: number;
  readonly endsMs: number;
  /** The key that verified it: when it goes, so does this entry. */
  readonly keyId: string;
  /** The set in which the key was seen last. */
  keySet: KeySet;
  /** Roughly what the entry keeps in memory. */
  readonly bytes: number;
}

/** Verified tokens of all policies; bounded by number and by memory. */
export type TokenCache = LRUCache<string, Verified>;

const MAX_BYTES = 67_108_864;

export const createTokenCache = (max = 20_000): TokenCache =>
  new LRUCache<string, Verified>({ max, maxSize: MAX_BYTES, sizeCalculation: ({ bytes }) => bytes });

export const digestOf = (token: string): string => hash('sha256', token, 'base64url');

/** A token's place in the cache: two digests of fixed length, so that no verdict ever serves another rule or token. */
export const cacheKeyOf = ({ cachePrefix }: JwtRules, digest: string): string => cachePrefix + digest;

/** The identity of a token verified before, if its key is still the issuer's and now is within its time. */
export function cachedIdentity(
  cache: TokenCache,
  key: string,
  { rules, wallMs }: { readonly rules: JwtRules; readonly wallMs: number },
): Identity | undefined {
  const entry = cache.get(key);
  if (entry === undefined || wallMs < entry.startsMs) return undefined;
  const keys = rules.keys.current();
  if (keys === undefined) return undefined;
  if (wallMs >= entry.endsMs || (entry.keySet !== keys && !keys.ids.has(entry.keyId))) {
    cache.delete(key);
    return undefined;
  }
  entry.keySet = keys;
  return entry.identity;
}
