import { errors, jwtVerify } from 'jose';
import type { JwtRules } from './jwt-rules.ts';
import { typeName } from './jwt-rules.ts';
import type { KeySet, VerificationKey } from './key-source.ts';
import type { Token } from './token.ts';
import { hasGoodClaims } from './token-claims.ts';

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

export type Verdict = Proof | 'unknown_key' | 'token_invalid' | 'token_expired';

/**
 * What is wrong with a header, before any key is looked for. `jku`, `x5u`, `jwk` and `x5c` are never read: keys come
 * from the issuer alone (RFC 8725 §3.10).
 */
export function hasGoodHeader({ header }: Token, rules: JwtRules): boolean {
  if (typeof header.alg !== 'string' || !rules.algorithms.includes(header.alg)) return false;
  if (header.crit !== undefined || header.b64 !== undefined || header.zip !== undefined) return false;
  if (header.kid !== undefined && typeof header.kid !== 'string') return false;
  if (header.typ === undefined) return rules.types === undefined;
  return typeof header.typ === 'string' && (rules.types ?? DEFAULT_TYPES).has(typeName(header.typ));
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
  if (candidates.length === 0) return 'unknown_key';
  let verdict: Verdict = 'token_invalid';
  for (const key of candidates) {
    const result = await verifyOne(token, key, moment);
    if (typeof result !== 'string') return result;
    if (result === 'token_expired') verdict = result;
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
): Promise<Proof | 'token_invalid' | 'token_expired'> {
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
    if (!hasGoodClaims(token.payload, rules)) return 'token_invalid';
    // jose looks at `iat` only where an age is asked for, but a token of the future is nobody's.
    const startsMs = (Math.max(nbf, iat) - rules.skewS) * 1000;
    if (wallMs < startsMs) return 'token_invalid';
    return { key, startsMs, endsMs: (exp + rules.skewS) * 1000 };
  } catch (error) {
    if (error instanceof errors.JWTExpired) return 'token_expired';
    // Whatever else a stranger's token makes jose say, it is not valid.
    return 'token_invalid';
  }
}
