import { createHmac, generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import type { HeaderFields } from '../../core/attributes.ts';
import { headerFields } from '../../core/attributes.ts';
import type { Refusal } from '../../core/decision.ts';
import { type ConsumerIndex, Evaluation, type Mode, type StepResult } from '../../core/evaluation.ts';
import type { Identity } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';
import { parseQuery } from '../../core/query.ts';
import type { Request } from '../../core/request.ts';
import { findCredential, verifyCredential } from './authn.ts';
import { type Authentication, compileAuthentication } from './compile.ts';
import { compileConsumers } from './consumers.ts';
import type { KeySet, KeySource, KeySources, VerificationKey } from './key-source.ts';
import { authenticationSpec, publicSpec } from './spec.ts';
import { createTokenCache, type TokenCache } from './token-cache.ts';

/** Builders for tests of this folder: no network, time is a number. */

export const NOW_MS = 1_800_000_000_000;
export const NOW_S = NOW_MS / 1000;
export const ISSUER = 'https://sso.example.org/realms/shop';
export const POLICY = { namespace: 'shop', name: 'orders', uid: 'uid-1', generation: 1 };

export interface RequestParts {
  readonly method?: string;
  readonly path?: string;
  /** Other ways to read the path. */
  readonly others?: readonly (readonly string[])[];
  readonly query?: string;
  readonly headers?: readonly (readonly [string, string])[];
  readonly isJoined?: boolean;
}

export function aRequest({
  method = 'GET',
  path = '/v1',
  others = [],
  query = '',
  headers = [],
  isJoined = false,
}: RequestParts): Request {
  const fields: HeaderFields = headerFields(headers, isJoined);
  return {
    id: 'r1',
    method,
    scheme: 'https',
    host: 'orders.example.org',
    path,
    readings: { kept: path.slice(1).split('/'), others, hasEncodedSlash: false, hasSemicolon: false },
    query: parseQuery(query) ?? new Map(),
    headers: fields,
    timeMs: NOW_MS,
    protocol: 'HTTP/1.1',
    body: { state: 'none' },
    source: { address: '192.0.2.1', principal: '', certificate: '' },
    client: { address: null, network: null },
    contextExtensions: new Map(),
    metadata: () => ({}),
    isTls: true,
    isGrpc: false,
  };
}

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

export const hmacToken = (secret: string | Uint8Array, header: object, payload: object): string => {
  const input = `${encode(JSON.stringify(header))}.${encode(JSON.stringify(payload))}`;
  return `${input}.${createHmac('sha256', secret).update(input).digest('base64url')}`;
};

export const CLAIMS = Object.freeze({
  iss: ISSUER,
  aud: 'orders',
  sub: 'ann',
  exp: NOW_S + 300,
  iat: NOW_S,
  nbf: NOW_S,
});

export interface Bench {
  readonly authentication: Authentication;
  readonly cache: TokenCache;
  readonly problems: ProblemList;
  readonly consumers: ConsumerIndex;
}

export interface BenchParts {
  readonly authentication?: object;
  readonly publicRoutes?: readonly object[];
  readonly keys?: KeySource | Readonly<Record<string, KeySource>>;
  readonly consumers?: ConsumerIndex;
  readonly policy?: typeof POLICY;
  readonly cache?: TokenCache;
}

/** One policy's authentication, compiled from what an author writes. */
export function aBench({
  authentication,
  publicRoutes,
  keys,
  consumers,
  policy = POLICY,
  cache = createTokenCache(),
}: BenchParts): Bench {
  const problems = new ProblemList();
  const sourceOf = (issuer: string): KeySource | string =>
    keys === undefined
      ? 'no keys'
      : typeof keys.current === 'function'
        ? (keys as KeySource)
        : ((keys as Record<string, KeySource>)[issuer] ?? 'no keys');
  const sources: KeySources = { byDiscovery: sourceOf, byUrl: sourceOf, inline: sourceOf };
  const specs = {
    authentication: authentication && authenticationSpec.parse(authentication),
    publicRoutes: publicRoutes && publicSpec.parse(publicRoutes),
  };
  return {
    authentication: compileAuthentication(specs, { policy, sources, caseInsensitive: false }, problems),
    cache,
    problems,
    consumers: consumers ?? compileConsumers([], () => ({ reason: 'SecretNotFound', message: '' }), 'shop').index,
  };
}

export interface Outcome {
  readonly refusal: Refusal | undefined;
  readonly identity: Identity;
  readonly evaluation: Evaluation;
  /** Whether an answer came without waiting. */
  readonly isSync: boolean;
}

/** Runs both steps as the engine does. */
export async function authenticate(
  bench: Bench,
  parts: RequestParts,
  { mode = 'Enforce', wallMs = NOW_MS }: { readonly mode?: Mode; readonly wallMs?: number } = {},
): Promise<Outcome> {
  const evaluation = new Evaluation({
    request: aRequest(parts),
    policy: POLICY,
    mode,
    namespace: {
      consumers: bench.consumers,
      roles: { rolesOf: () => [], permits: () => false, isHeldForDeny: () => false },
    },
    wallMs,
    monotonicMs: 0,
    deadlineMs: 200,
    params: new Map(),
  });
  const found = findCredential(bench.authentication, bench.cache)(evaluation) as StepResult;
  const pending = found ?? verifyCredential(bench.authentication, bench.cache)(evaluation);
  const refusal = await pending;
  return { refusal, identity: evaluation.identity, evaluation, isSync: !(pending instanceof Promise) };
}

/** The reason of a refusal, or the kind of identity that came in. */
export async function verdictOf(bench: Bench, parts: RequestParts, wallMs = NOW_MS): Promise<string> {
  const { refusal, identity } = await authenticate(bench, parts, { wallMs });
  return refusal?.reason ?? identity.kind;
}

export const bearer = (token: string): RequestParts => ({ headers: [['authorization', `Bearer ${token}`]] });
