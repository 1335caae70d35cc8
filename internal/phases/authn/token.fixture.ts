import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { aBench, type Bench, type BenchParts, bearer, ISSUER, NOW_MS, NOW_S, verdictOf } from './authn.fixture.ts';
import type { KeySet, KeySource, VerificationKey } from './key-source.ts';

/** Builders of keys and tokens for tests of this folder, right and wrong ones. */

/** Keys that a test changes at will; `fetched` counts how often somebody waited for newer ones. */
export class FakeKeys implements KeySource {
  set: KeySet | undefined;
  /** What the next fetch brings; an Error is thrown. */
  next: KeySet | Error | undefined = undefined;
  fetched = 0;

  constructor(set?: KeySet) {
    this.set = set;
  }

  current(): KeySet | undefined {
    return this.set;
  }

  async fetch(): Promise<KeySet> {
    this.fetched += 1;
    if (this.next instanceof Error) throw this.next;
    this.set = this.next ?? this.set;
    if (this.set === undefined) throw new Error('The test gave no keys');
    return this.set;
  }
}

export const keySet = (...keys: readonly VerificationKey[]): KeySet => ({
  keys,
  ids: new Set(keys.map((key) => key.id)),
});

/** A key pair with its public half as a source would give it. */
export interface Signer {
  readonly alg: string;
  readonly privateKey: KeyObject;
  readonly publicKey: KeyObject;
  readonly key: VerificationKey;
}

const PAIRS = {
  RS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  PS256: () => generateKeyPairSync('rsa', { modulusLength: 2048 }),
  ES256: () => generateKeyPairSync('ec', { namedCurve: 'P-256' }),
  ES384: () => generateKeyPairSync('ec', { namedCurve: 'P-384' }),
  ES512: () => generateKeyPairSync('ec', { namedCurve: 'P-521' }),
  EdDSA: () => generateKeyPairSync('ed25519'),
} as const;
const TYPES = { RS256: 'RSA', PS256: 'RSA', ES256: 'EC', ES384: 'EC', ES512: 'EC', EdDSA: 'OKP' } as const;
const CURVES: Readonly<Record<string, string>> = { ES256: 'P-256', ES384: 'P-384', ES512: 'P-521', EdDSA: 'Ed25519' };

export function aSigner(alg: keyof typeof PAIRS, kid: string | undefined = 'k1', statedAlg?: string): Signer {
  const { publicKey, privateKey } = PAIRS[alg]();
  const id = `${alg}/${kid}/${publicKey.export({ format: 'pem', type: 'spki' })}`;
  return {
    alg,
    privateKey,
    publicKey,
    key: { id, kid, alg: statedAlg, type: TYPES[alg], curve: CURVES[alg], key: publicKey },
  };
}

const encode = (text: string | Uint8Array): string => Buffer.from(text).toString('base64url');

/** A token of any header and payload, right or wrong; texts are taken as they stand. */
export function aToken(
  signer: Signer,
  payload: string | Readonly<Record<string, unknown>>,
  header: string | Readonly<Record<string, unknown>> = { alg: signer.alg, kid: signer.key.kid, typ: 'at+jwt' },
): string {
  const input = [header, payload]
    .map((part) => encode(typeof part === 'string' ? part : JSON.stringify(part)))
    .join('.');
  return `${input}.${encode(signatureOf(signer, input))}`;
}

/** Signs as a JWS does: `r` and `s` side by side, PSS salt of the hash's size. */
export function signatureOf({ alg, privateKey }: Signer, input: string): Buffer {
  const bytes = Buffer.from(input);
  if (alg === 'EdDSA') return sign(null, bytes, privateKey);
  const digest = `sha${alg.slice(2)}`;
  if (alg.startsWith('ES')) return sign(digest, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' });
  return sign(digest, bytes, alg.startsWith('PS') ? { key: privateKey, padding: 6, saltLength: 32 } : privateKey);
}

export const hmacToken = (secret: string | Uint8Array, header: object, payload: object, alg = 'HS256'): string => {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(payload))}`;
  return `${input}.${createHmac(`sha${alg.slice(2)}`, secret)
    .update(input)
    .digest('base64url')}`;
};

export const CLAIMS = Object.freeze({
  iss: ISSUER,
  aud: 'orders',
  sub: 'ann',
  exp: NOW_S + 300,
  iat: NOW_S,
  nbf: NOW_S,
});

export const RSA = aSigner('RS256');
export const EC = aSigner('ES256', 'k2');
export const ED = aSigner('EdDSA', 'k3');
export const SIGNERS = [RSA, EC, ED, aSigner('PS256', 'k4'), aSigner('ES384', 'k5'), aSigner('ES512', 'k6')];
export const KEYS = new FakeKeys(keySet(...SIGNERS.map((signer) => signer.key)));

/** One JWT method for `orders` that knows the keys above. */
export const jwtBench = (jwt: object = {}, rest: BenchParts = {}): Bench =>
  aBench({
    authentication: { methods: [{ name: 'sso', jwt: { issuer: ISSUER, audiences: ['orders'], ...jwt } }] },
    keys: KEYS,
    ...rest,
  });

export const tokenVerdict = (token: string, jwt: object = {}, wallMs = NOW_MS): Promise<string> =>
  verdictOf(jwtBench(jwt), bearer(token), wallMs);

/** One part of a token. */
export const part = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
