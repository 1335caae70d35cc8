import type { HeaderFields } from '../../core/attributes.ts';
import { headerFields } from '../../core/attributes.ts';
import { inOneGo } from '../../core/breather.ts';
import { parseCookies } from '../../core/cookies.ts';
import type { Refusal } from '../../core/decision.ts';
import { type ConsumerIndex, Evaluation, type Mode, type StepResult } from '../../core/evaluation.ts';
import type { Identity } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';
import { parseQuery } from '../../core/query.ts';
import type { Request } from '../../core/request.ts';
import { findCredential, verifyCredential } from './authn.ts';
import { type Authentication, compileAuthentication } from './compile.ts';
import type { KeySource, KeySources } from './key-source.ts';
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
    targetSize: path.length + query.length,
    query: parseQuery(query) ?? new Map(),
    hasQuerySemicolon: query.includes(';'),
    headers: fields,
    cookies: parseCookies(fields),
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
    authentication: inOneGo(compileAuthentication(specs, { policy, sources, caseInsensitive: false }, problems)),
    cache,
    problems,
    consumers: consumers ?? { find: () => 'unknown' },
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
    otherParams: [],
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
