import { hash } from 'node:crypto';
import { errors, importJWK, type JWK, jwtVerify } from 'jose';
import { LRUCache } from 'lru-cache';
import { PosternError } from '../../core/error.ts';
import { type Identity, identityId } from '../../core/identity.ts';
import type { ReasonName } from '../../core/reasons.ts';
import type { KeySet, KeySource } from './key-source.ts';
import { parseToken, type Token } from './token.ts';

/** What a JWT method asks of a token, compiled. */
export interface JwtMethod {
  readonly name: string;
  readonly issuer: string;
  /** undefined: any audience, as the author said in so many words. */
  readonly audiences: readonly string[] | undefined;
  readonly algorithms: readonly string[];
  readonly types: ReadonlySet<string> | undefined;
  readonly skewS: number;
  readonly requiredClaims: readonly { readonly path: readonly string[]; readonly value?: string | undefined }[];
  readonly groupsPath: readonly string[] | undefined;
  readonly keys: KeySource;
  /** Fixed length: SHA-256 over the policy's uid, generation and the method's name, each with its length. */
  readonly cachePrefix: string;
}

export type Verdict = Identity | Extract<ReasonName, 'token_malformed' | 'token_invalid' | 'token_expired' | 'issuer_unavailable'>;

interface Verified {
  readonly identity: Identity;
  /** Epoch milliseconds at which the token ends, skew included. */
  readonly endsMs: number;
  readonly thumbprint: string;
  keysVersion: number;
}

/** Verified tokens of all policies; bounded, and each entry ends with its token and with its key. */
export type TokenCache = LRUCache<string, Verified>;

export const createTokenCache = (max = 20_000): TokenCache => new LRUCache<string, Verified>({ max });

export const digestOf = (token: string): string => hash('sha256', token, 'base64url');

/** A token's place in the cache: policy, generation and method first, so that no verdict serves another rule. */
export const cacheKeyOf = (method: JwtMethod, digest: string): string => method.cachePrefix + digest;

/** The identity of a token verified before, if its key is still the issuer's and it has not ended. */
export function cachedIdentity(cache: TokenCache, key: string, { method, wallMs }: { readonly method: JwtMethod; readonly wallMs: number }): Identity | undefined {
  const entry = cache.get(key);
  if (entry === undefined) return undefined;
  const keys = method.keys.current();
  if (keys === undefined || wallMs >= entry.endsMs || (entry.keysVersion !== keys.version && !keys.keys.has(entry.thumbprint))) {
    cache.delete(key);
    return undefined;
  }
  entry.keysVersion = keys.version;
  return entry.identity;
}

/** Verifies a token that is not in the cache; what proves right is put there. Never throws for a bad token. */
export async function verifyToken(text: string, { method, cache, cacheKey, wallMs }: VerifyContext): Promise<Verdict> {
  const token = parseToken(text);
  if (token === undefined) return 'token_malformed';
  const refusal = checkHeader(token, method);
  if (refusal !== undefined) return refusal;
  let keys = method.keys.current();
  try {
    keys ??= await method.keys.fetch();
    let verified = await verifyWith(token, keys, { method, wallMs });
    if (verified === 'unknown_key') {
      keys = await method.keys.fetch();
      verified = await verifyWith(token, keys, { method, wallMs });
    }
    if (verified === 'unknown_key') return 'token_invalid';
    if (typeof verified === 'string') return verified;
    const { thumbprint, endsMs } = verified;
    const identity = identityOf(token.payload, method);
    cache.set(cacheKey, { identity, endsMs, thumbprint, keysVersion: keys.version });
    return identity;
  } catch (error) {
    if (error instanceof PosternError && error.code === 'ERR_POSTERN_KEYS_UNAVAILABLE') return 'issuer_unavailable';
    throw error;
  }
}

export interface VerifyContext {
  readonly method: JwtMethod;
  readonly cache: TokenCache;
  readonly cacheKey: string;
  readonly wallMs: number;
}

/** By default: nothing, JWT and at+jwt (RFC 9068 §2.1); tokens made for another purpose name it (RFC 8725 §3.11). */
const DEFAULT_TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);

function checkHeader({ header }: Token, method: JwtMethod): 'token_invalid' | undefined {
  if (typeof header.alg !== 'string' || !method.algorithms.includes(header.alg)) return 'token_invalid';
  if (header.crit !== undefined || header.b64 !== undefined || header.zip !== undefined) return 'token_invalid';
  if (header.kid !== undefined && typeof header.kid !== 'string') return 'token_invalid';
  if (header.typ === undefined) return method.types === undefined ? undefined : 'token_invalid';
  if (typeof header.typ !== 'string') return 'token_invalid';
  const type = header.typ.toLowerCase().replace(/^application\//, '');
  return (method.types ?? DEFAULT_TYPES).has(type) ? undefined : 'token_invalid';
}

interface Moment {
  readonly method: JwtMethod;
  readonly wallMs: number;
}

/** Most keys that are tried for a token that names none. */
const MAX_TRIED_KEYS = 4;

async function verifyWith(token: Token, keys: KeySet, moment: Moment): Promise<{ thumbprint: string; endsMs: number } | 'unknown_key' | 'token_invalid' | 'token_expired'> {
  const { alg, kid } = token.header;
  const candidates = [...keys.keys].filter(([, jwk]) => fits(jwk, String(alg), kid as string | undefined)).slice(0, MAX_TRIED_KEYS);
  if (candidates.length === 0) return 'unknown_key';
  let verdict: 'token_invalid' | 'token_expired' = 'token_invalid';
  for (const [thumbprint, jwk] of candidates) {
    const result = await verifyOne(token, jwk, moment);
    if (typeof result === 'number') return { thumbprint, endsMs: result };
    if (result === 'token_expired') verdict = result;
  }
  return verdict;
}

const KEY_TYPES: Readonly<Record<string, string>> = { RS: 'RSA', PS: 'RSA', ES: 'EC', Ed: 'OKP', HS: 'oct' };
const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519', Ed25519: 'Ed25519' };

/** Whether a key may verify this algorithm: the key's type decides, never the token alone (CVE-2026-22817). */
function fits(jwk: JWK, alg: string, kid: string | undefined): boolean {
  if (jwk.kty !== KEY_TYPES[alg.slice(0, 2)] || (kid !== undefined && jwk.kid !== kid)) return false;
  if (jwk.alg !== undefined && jwk.alg !== alg) return false;
  if (jwk.use !== undefined && jwk.use !== 'sig') return false;
  if (jwk.key_ops !== undefined && !jwk.key_ops.includes('verify')) return false;
  return CURVES[alg] === undefined || jwk.crv === CURVES[alg];
}

const imported = new WeakMap<JWK, Map<string, ReturnType<typeof importJWK>>>();

function importKey(jwk: JWK, alg: string): ReturnType<typeof importJWK> {
  const byAlgorithm = imported.get(jwk) ?? new Map<string, ReturnType<typeof importJWK>>();
  imported.set(jwk, byAlgorithm);
  const known = byAlgorithm.get(alg);
  if (known !== undefined) return known;
  const key = importJWK(jwk, alg);
  byAlgorithm.set(alg, key);
  return key;
}

/** @returns epoch milliseconds at which the token ends */
async function verifyOne(token: Token, jwk: JWK, { method, wallMs }: Moment): Promise<number | 'token_invalid' | 'token_expired'> {
  const alg = String(token.header.alg);
  try {
    const { payload } = await jwtVerify(token.text, await importKey(jwk, alg), {
      algorithms: [alg],
      issuer: method.issuer,
      ...(method.audiences !== undefined && { audience: [...method.audiences] }),
      clockTolerance: method.skewS,
      currentDate: new Date(wallMs),
      requiredClaims: ['exp'],
    });
    const { exp, iat, nbf } = payload;
    if (exp === undefined || ![exp, iat ?? 0, nbf ?? 0].every(Number.isFinite)) return 'token_invalid';
    if (iat !== undefined && iat * 1000 > wallMs + method.skewS * 1000) return 'token_invalid';
    if (typeof payload.sub !== 'string' && payload.sub !== undefined) return 'token_invalid';
    if (!method.requiredClaims.every(({ path, value }) => hasClaim(token.payload, path, value))) return 'token_invalid';
    return (exp + method.skewS) * 1000;
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'token_expired';
    // Whatever else a token or key of strangers makes jose say, the token is not valid.
    return 'token_invalid';
  }
}

function claimAt(claims: Readonly<Record<string, unknown>>, path: readonly string[]): unknown {
  let claim: unknown = claims;
  for (const step of path) {
    if (typeof claim !== 'object' || claim === null || !Object.hasOwn(claim, step)) return undefined;
    claim = (claim as Record<string, unknown>)[step];
  }
  return claim;
}

function hasClaim(claims: Readonly<Record<string, unknown>>, path: readonly string[], value: string | undefined): boolean {
  const claim = claimAt(claims, path);
  if (value === undefined) return claim !== undefined && claim !== null;
  return claim === value || (Array.isArray(claim) && claim.includes(value));
}

const textsOf = (claim: unknown): readonly string[] =>
  Array.isArray(claim) ? claim.filter((item) => typeof item === 'string') : typeof claim === 'string' && claim !== '' ? [claim] : [];

/** `scope` is one text of words (RFC 8693 §4.2), `scp` a list or such a text. */
function scopesOf({ scope, scp }: Readonly<Record<string, unknown>>): readonly string[] {
  const claim = scope ?? scp;
  return typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : textsOf(claim);
}

function identityOf(claims: Readonly<Record<string, unknown>>, method: JwtMethod): Identity {
  const subject = typeof claims.sub === 'string' ? claims.sub : null;
  const authTime = claims.auth_time;
  return Object.freeze({
    kind: 'jwt',
    issuer: method.issuer,
    subject,
    id: subject === null ? null : identityId('jwt', method.issuer, subject),
    groups: Object.freeze(method.groupsPath === undefined ? [] : [...textsOf(claimAt(claims, method.groupsPath))]),
    scopes: Object.freeze([...scopesOf(claims)]),
    claims,
    consumer: null,
    authTimeMs: typeof authTime === 'number' && Number.isFinite(authTime) ? authTime * 1000 : null,
    method: method.name,
  });
}
