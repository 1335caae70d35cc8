import { createPublicKey, createSecretKey, hash, type KeyObject, type webcrypto } from 'node:crypto';
import type { JWK } from 'jose';
import { member } from '../core/member.ts';
import { parseStrictJson } from '../core/strict-json.ts';
import type { KeySet, VerificationKey } from '../phases/authn/key-source.ts';

/** Most keys that are taken from one set; what follows is not looked at. */
export const MAX_KEYS = 64;
const MIN_RSA_BITS = 2048;
/** Larger moduli and exponents cost more to verify with than a stranger's key set may. */
const MAX_RSA_BITS = 8192;
const MAX_RSA_EXPONENT = 2n ** 32n;
const MIN_SECRET_BYTES = 32;
const PRIVATE_MEMBERS = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth'] as const;

/** A key set as published: what of it can verify, and why the rest cannot. */
export interface ReadKeySet {
  readonly set: KeySet;
  /** How many keys the text has, also those that are not looked at. */
  readonly published: number;
  readonly unusable: readonly string[];
  readonly holdsPrivateKey: boolean;
}

/**
 * Reads a JWK Set (RFC 7517 §5). Left out are keys for encryption, RSA under 2048 bits, kinds and curves that are not
 * known, and symmetric keys unless they are allowed; one bad key does not spoil the others. Private members are dropped.
 *
 * @returns undefined when the text is no JWK Set
 */
export function readKeySet(
  text: string,
  { allowsSymmetric }: { readonly allowsSymmetric: boolean },
): ReadKeySet | undefined {
  const parsed = parseStrictJson(text);
  const published: unknown = parsed.ok ? member(parsed.value, 'keys') : undefined;
  if (!Array.isArray(published)) return undefined;
  const keys: VerificationKey[] = [];
  const unusable: string[] = [];
  let holdsPrivateKey = false;
  for (const [index, jwk] of published.slice(0, MAX_KEYS).entries()) {
    if (typeof jwk !== 'object' || jwk === null) {
      unusable.push(`keys[${index}] is no object`);
      continue;
    }
    holdsPrivateKey ||= PRIVATE_MEMBERS.some((name) => Object.hasOwn(jwk, name));
    const key = readKey(jwk as JWK, allowsSymmetric);
    if (typeof key === 'string') unusable.push(`keys[${index}] ${key}`);
    else keys.push(key);
  }
  return { set: keySetOf(keys), published: published.length, unusable, holdsPrivateKey };
}

const keySetOf = (keys: readonly VerificationKey[]): KeySet =>
  Object.freeze({ keys: Object.freeze(keys), ids: new Set(keys.map((key) => key.id)) });

/** Two sets with the same entries are the same keys. */
export const sameKeys = (a: KeySet, b: KeySet): boolean =>
  a.ids.size === b.ids.size && [...a.ids].every((id) => b.ids.has(id));

function readKey(jwk: JWK, allowsSymmetric: boolean): VerificationKey | string {
  const { kty, kid, alg, use, key_ops: operations } = jwk;
  if (kid !== undefined && typeof kid !== 'string') return 'has a kid that is no text';
  if (alg !== undefined && typeof alg !== 'string') return 'has an alg that is no text';
  if (use !== undefined && use !== 'sig') return 'is not for signatures';
  if (operations !== undefined && !(Array.isArray(operations) && operations.includes('verify'))) {
    return 'is not for verifying';
  }
  const key = kty === 'oct' ? secretKey(jwk, allowsSymmetric) : publicKey(jwk);
  if (typeof key === 'string') return key;
  const material =
    key.type === 'secret' ? key.export().toString('base64url') : JSON.stringify(key.export({ format: 'jwk' }));
  return Object.freeze({
    id: hash('sha256', JSON.stringify([material, kid ?? null, alg ?? null]), 'base64url'),
    kid,
    alg,
    type: kty as VerificationKey['type'],
    curve: kty === 'EC' || kty === 'OKP' ? jwk.crv : undefined,
    key,
  });
}

function secretKey({ k }: JWK, isAllowed: boolean): KeyObject | string {
  if (!isAllowed) return 'is symmetric';
  const bytes = Buffer.from(typeof k === 'string' ? k : '', 'base64url');
  if (bytes.toString('base64url') !== k) return 'has a k that is not base64url';
  if (bytes.length < MIN_SECRET_BYTES) return `has ${bytes.length} bytes: at least ${MIN_SECRET_BYTES} (RFC 7518 §3.2)`;
  return createSecretKey(bytes);
}

const CURVES: Readonly<Record<string, readonly unknown[]>> = { EC: ['P-256', 'P-384', 'P-521'], OKP: ['Ed25519'] };

function publicKey({ kty, crv, x, y, n, e }: JWK): KeyObject | string {
  if (kty !== 'RSA' && kty !== 'EC' && kty !== 'OKP') return 'is of a kind that is not known';
  if (kty !== 'RSA' && !CURVES[kty]?.includes(crv)) return 'is on a curve that is not known';
  let key: KeyObject;
  try {
    const members = kty === 'RSA' ? { kty, n, e } : { kty, crv, x, y };
    key = createPublicKey({ key: members as webcrypto.JsonWebKey, format: 'jwk' });
  } catch {
    return 'cannot be read';
  }
  if (kty !== 'RSA') return key;
  const { modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (modulusLength < MIN_RSA_BITS || modulusLength > MAX_RSA_BITS) {
    return `has ${modulusLength} bits: RSA keys have ${MIN_RSA_BITS} to ${MAX_RSA_BITS}`;
  }
  // With an exponent of 1 everybody can sign.
  if (publicExponent < 3n || publicExponent > MAX_RSA_EXPONENT) return 'has an unsafe exponent';
  return key;
}
