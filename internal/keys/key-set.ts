import { calculateJwkThumbprint, importJWK, type JSONWebKeySet, type JWK } from 'jose';
import type { KeySet } from '../phases/authn/key-source.ts';

/** Most keys that are taken from one set. */
export const MAX_KEYS = 64;
const ASYMMETRIC: ReadonlySet<string> = new Set(['RSA', 'EC', 'OKP']);
const MIN_RSA_BYTES = 256;
const MIN_SECRET_BYTES = 32;

/**
 * The keys of a set that can verify signatures, by thumbprint. Encryption keys, RSA under 2048 bits, kinds that are not
 * known and, unless allowed, symmetric keys are left out; private members are dropped.
 */
export async function usableKeys(set: JSONWebKeySet, allowsSymmetric: boolean): Promise<ReadonlyMap<string, JWK>> {
  const keys = new Map<string, JWK>();
  for (const jwk of set.keys.slice(0, MAX_KEYS)) {
    if (typeof jwk !== 'object' || jwk === null || !isUsable(jwk, allowsSymmetric)) continue;
    try {
      const key = publicPart(jwk);
      await importJWK(key, key.alg ?? DEFAULT_ALGORITHM[key.kty ?? '']);
      keys.set(await calculateJwkThumbprint(key), Object.freeze(key));
    } catch {
      // A key that cannot be read verifies nothing; the others of the set still do.
    }
  }
  return keys;
}

const DEFAULT_ALGORITHM: Readonly<Record<string, string>> = { RSA: 'RS256', EC: 'ES256', OKP: 'EdDSA', oct: 'HS256' };

function isUsable(jwk: JWK, allowsSymmetric: boolean): boolean {
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  if (jwk.kty === 'oct') return allowsSymmetric && typeof jwk.k === 'string' && Buffer.from(jwk.k, 'base64url').length >= MIN_SECRET_BYTES;
  if (!ASYMMETRIC.has(jwk.kty ?? '')) return false;
  return jwk.kty !== 'RSA' || (typeof jwk.n === 'string' && Buffer.from(jwk.n, 'base64url').length >= MIN_RSA_BYTES);
}

function publicPart({ d: _d, p: _p, q: _q, dp: _dp, dq: _dq, qi: _qi, oth: _oth, ...rest }: JWK): JWK {
  return rest;
}

/** Two sets with the same thumbprints are the same keys. */
export const sameKeys = (a: KeySet['keys'], b: KeySet['keys']): boolean => a.size === b.size && [...a.keys()].every((thumbprint) => b.has(thumbprint));
