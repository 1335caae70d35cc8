import { errors, jwtVerify } from 'jose';
import type { JwtRules } from './jwt-rules.ts';
import { typeName } from './jwt-rules.ts';
import type { KeySet, VerificationKey } from './key-source.ts';
import type { Token } from './token.ts';
import { wrongClaim } from './token-claims.ts';
import {
  ALGORITHM,
  AUDIENCE,
  EARLY,
  EXPIRED,
  EXTENSIONS,
  ISSUER,
  KEY_NAME,
  NO_EXPIRY,
  SIGNATURE,
  TIMES,
  type TokenFailure,
  TYPE,
  UNKNOWN_KEY,
  UNVERIFIABLE,
} from './token-failure.ts';

/** By default: no `typ`, JWT and at+jwt (RFC 9068 §2.1). Tokens for other purposes name theirs (RFC 8725 §3.11). */
const DEFAULT_TYPES: ReadonlySet<string> = new Set(['jwt', 'at+jwt']);

/** Most keys that are tried for one token: those with its `kid`, or any that fits if it names none. */
const MAX_TRIED_KEYS = 4;

export interface Proof {
  readonly key: VerificationKey;
  /** Epoch milliseconds, skew included. */
  readonly startsMs: number;
  readonly endsMs: number;
}

/** `UNKNOWN_KEY` is worth another look at the issuer's keys. */
export type Verdict = Proof | TokenFailure;

/**
 * What is wrong with a header, before any key is looked for. `jku`, `x5u`, `jwk` and `x5c` are never read: keys come
 * from the issuer alone (RFC 8725 §3.10).
 */
export function wrongHeader({ header }: Token, rules: JwtRules): TokenFailure | undefined {
  if (typeof header.alg !== 'string' || !rules.algorithms.includes(header.alg)) return ALGORITHM;
  if (header.crit !== undefined || header.b64 !== undefined || header.zip !== undefined) return EXTENSIONS;
  if (header.kid !== undefined && typeof header.kid !== 'string') return KEY_NAME;
  if (header.typ === undefined) return rules.types === undefined ? undefined : TYPE;
  return typeof header.typ === 'string' && (rules.types ?? DEFAULT_TYPES).has(typeName(header.typ)) ? undefined : TYPE;
}

/** Verifies signature and claims of a token whose header is good, with the keys that may have made it. */
export async function verifyWith(
  token: Token,
  keys: KeySet,
  moment: { readonly rules: JwtRules; readonly wallMs: number },
): Promise<Verdict> {
  const alg = String(token.header.alg);
  const kid = token.header.kid as string | undefined;
  const candidates = keys.keys.filter((key) => fits(key, alg, kid)).slice(0, MAX_TRIED_KEYS);
  if (candidates.length === 0) return UNKNOWN_KEY;
  let verdict = SIGNATURE;
  for (const key of candidates) {
    const result = await verifyOne(token, key, moment);
    if ('key' in result) return result;
    // What a key that fits says of the claims tells more than that others did not make it.
    if (result === EXPIRED || verdict === SIGNATURE) verdict = result;
  }
  return verdict;
}

interface AlgorithmKey {
  readonly type: VerificationKey['type'];
  readonly curve?: string;
  /** RFC 7518 §3.2: a key of the hash's size or larger. */
  readonly minSecretBytes?: number;
}

/** Keys by algorithm: the key's own type decides, never the token alone (CVE-2026-22817, RFC 8725 §3.1). */
const KEYS_OF: ReadonlyMap<string, AlgorithmKey> = new Map<string, AlgorithmKey>([
  ...(['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512'] as const).map((alg) => [alg, { type: 'RSA' }] as const),
  ['ES256', { type: 'EC', curve: 'P-256' }],
  ['ES384', { type: 'EC', curve: 'P-384' }],
  ['ES512', { type: 'EC', curve: 'P-521' }],
  ['EdDSA', { type: 'OKP', curve: 'Ed25519' }],
  ['Ed25519', { type: 'OKP', curve: 'Ed25519' }],
  ['HS256', { type: 'oct', minSecretBytes: 32 }],
  ['HS384', { type: 'oct', minSecretBytes: 48 }],
  ['HS512', { type: 'oct', minSecretBytes: 64 }],
]);

function fits(key: VerificationKey, alg: string, kid: string | undefined): boolean {
  const wanted = KEYS_OF.get(alg);
  if (wanted === undefined || key.type !== wanted.type || key.curve !== wanted.curve) return false;
  if (kid !== undefined && key.kid !== kid) return false;
  if (key.alg !== undefined && key.alg !== alg) return false;
  return wanted.minSecretBytes === undefined || (key.key.symmetricKeySize ?? 0) >= wanted.minSecretBytes;
}

async function verifyOne(
  token: Token,
  key: VerificationKey,
  { rules, wallMs }: { readonly rules: JwtRules; readonly wallMs: number },
): Promise<Verdict> {
  try {
    const { payload } = await jwtVerify(token.text, key.key, {
      algorithms: [String(token.header.alg)],
      issuer: rules.issuer,
      ...(rules.audiences !== undefined && { audience: [...rules.audiences] }),
      clockTolerance: rules.skewS,
      currentDate: new Date(wallMs),
      requiredClaims: ['exp'],
    });
    const { exp = Number.NaN, nbf = -Infinity, iat = -Infinity } = payload;
    const wrong = wrongClaim(token.payload, rules);
    if (wrong !== undefined) return wrong;
    // jose looks at `iat` only where an age is asked for, but a token of the future is nobody's.
    const startsMs = (Math.max(nbf, iat) - rules.skewS) * 1000;
    if (wallMs < startsMs) return EARLY;
    return { key, startsMs, endsMs: (exp + rules.skewS) * 1000 };
  } catch (error) {
    return failureOf(error);
  }
}

/** Whatever a stranger's token makes jose say, it is not valid; its own words may hold what is in the token. */
function failureOf(error: unknown): TokenFailure {
  if (error instanceof errors.JWTExpired) return EXPIRED;
  if (error instanceof errors.JWSSignatureVerificationFailed) return SIGNATURE;
  if (!(error instanceof errors.JWTClaimValidationFailed)) return UNVERIFIABLE;
  const { claim, reason } = error;
  if (claim === 'aud') return AUDIENCE;
  if (claim === 'iss') return ISSUER;
  if (claim === 'exp' && reason === 'missing') return NO_EXPIRY;
  if (reason === 'invalid') return TIMES;
  return claim === 'nbf' ? EARLY : UNVERIFIABLE;
}
