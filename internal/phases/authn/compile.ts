import { hash } from 'node:crypto';
import type { JSONWebKeySet } from 'jose';
import type { PolicyRef } from '../../core/decision.ts';
import { parseDurationMs } from '../../core/duration.ts';
import type { Carrier } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import { parseStrictJson } from '../../core/strict-json.ts';
import { compilePathTemplates, type PathMatcher } from '../../match/path-template.ts';
import { carrierOf, sameCarrier } from './carriers.ts';
import type { JwtMethod } from './jwt.ts';
import type { KeySource } from './key-source.ts';
import { ASYMMETRIC, type AuthenticationSpec, type JwtSpec, type MethodSpec, type PublicSpec } from './spec.ts';

/** How a policy gets at the keys of its issuers. */
export interface KeySources {
  /** Keys found by discovery at the issuer. */
  byDiscovery(issuer: string): KeySource;
  byUrl(url: string): KeySource;
  /** @returns what is wrong with the set, as a sentence, instead of keys */
  inline(keys: JSONWebKeySet): KeySource | string;
}

export interface AuthnContext {
  readonly policy: PolicyRef;
  readonly sources: KeySources;
  readonly caseInsensitive: boolean;
}

export type Method =
  | { readonly kind: 'apiKey'; readonly name: string; readonly carriers: readonly Carrier[] }
  | { readonly kind: 'jwt'; readonly name: string; readonly carriers: readonly Carrier[]; readonly jwt: JwtMethod };

/** A carrier with the methods that read it. */
export interface ReadCarrier {
  readonly carrier: Carrier;
  readonly methods: readonly number[];
}

export interface PublicRoute {
  readonly methods: ReadonlySet<string>;
  readonly paths: PathMatcher;
}

export interface Authentication {
  readonly methods: readonly Method[];
  readonly carriers: readonly ReadCarrier[];
  readonly allowsAnonymous: boolean;
  readonly publicRoutes: readonly PublicRoute[];
  /** Carriers that the upstream must not see. */
  readonly removals: readonly Carrier[];
  /** `WWW-Authenticate` when nothing was sent, and when what was sent is not valid. */
  readonly missingChallenges: readonly string[];
  readonly invalidChallenges: readonly string[];
}

/** Compiles `authentication` and `public`; every mistake of the author goes to `problems`. */
export function compileAuthentication(
  { authentication, publicRoutes }: { readonly authentication: AuthenticationSpec | undefined; readonly publicRoutes: PublicSpec | undefined },
  context: AuthnContext,
  problems: ProblemList,
): Authentication {
  const at = problems.at('authentication').at('methods');
  const specs = authentication?.methods ?? [];
  const methods: Method[] = [];
  for (const [index, spec] of specs.entries()) {
    const method = compileMethod(spec, context, at.at(index));
    if (method !== undefined) methods.push(method);
  }
  checkOverlap(methods, at);
  const keeps = (name: string): boolean => {
    const spec = specs.find((candidate) => candidate.name === name);
    return (spec?.credentials ?? (spec?.apiKey === undefined ? 'Forward' : 'Remove')) === 'Forward';
  };
  return Object.freeze({
    methods,
    carriers: carriersOf(methods),
    allowsAnonymous: authentication?.anonymous !== undefined,
    publicRoutes: compilePublic(publicRoutes ?? [], context, problems.at('public')),
    removals: methods.filter((method) => !keeps(method.name)).flatMap((method) => method.carriers),
    ...challengesOf(methods),
  });
}

function carriersOf(methods: readonly Method[]): ReadCarrier[] {
  const read: { carrier: Carrier; methods: number[] }[] = [];
  for (const [index, method] of methods.entries()) {
    for (const carrier of method.carriers) {
      const known = read.find((other) => sameCarrier(other.carrier, carrier));
      if (known === undefined) read.push({ carrier, methods: [index] });
      else if (!known.methods.includes(index)) known.methods.push(index);
    }
  }
  return read;
}

/** Two methods that would claim the same credential leave nobody knowing whose it is. */
function checkOverlap(methods: readonly Method[], problems: ProblemList): void {
  for (const [index, method] of methods.entries()) {
    for (const other of methods.slice(0, index)) {
      const shared = method.carriers.some((carrier) => other.carriers.some((candidate) => sameCarrier(candidate, carrier)));
      const isTold = method.kind === 'jwt' && other.kind === 'jwt' && method.jwt.issuer !== other.jwt.issuer;
      if (!shared || isTold) continue;
      problems.at(index).error('AmbiguousMethods', `"${method.name}" and "${other.name}" read the same place: give one of them another "from"`);
    }
  }
}

function compileMethod(spec: MethodSpec, context: AuthnContext, problems: ProblemList): Method | undefined {
  if (spec.apiKey !== undefined) return { kind: 'apiKey', name: spec.name, carriers: spec.apiKey.from.map(carrierOf) };
  if (spec.jwt === undefined) return undefined;
  const jwt = compileJwt(spec.name, spec.jwt, { ...context, problems: problems.at('jwt') });
  return jwt && { kind: 'jwt', name: spec.name, carriers: spec.jwt.from.map(carrierOf), jwt };
}

function compileJwt(name: string, spec: JwtSpec, context: AuthnContext & { readonly problems: ProblemList }): JwtMethod | undefined {
  const { problems, policy } = context;
  const isAny = spec.audiences.includes('*');
  if (isAny) problems.at('audiences').warn('WildcardAudience', 'Tokens that this issuer made for any other service are accepted: name your audience');
  const algorithms = spec.algorithms ?? ASYMMETRIC;
  if (spec.jwks?.inline === undefined && algorithms.some((algorithm) => algorithm.startsWith('HS'))) {
    problems.at('algorithms').error('Invalid', 'Symmetric algorithms need jwks.inline: a fetched key set is public');
    return undefined;
  }
  const keys = keySourceOf(spec, context);
  if (keys === undefined) return undefined;
  return Object.freeze({
    name,
    issuer: spec.issuer,
    audiences: isAny ? undefined : spec.audiences,
    algorithms,
    types: spec.types && new Set(spec.types.map((type) => type.toLowerCase().replace(/^application\//, ''))),
    skewS: (parseDurationMs(spec.clockSkew) ?? 60_000) / 1000,
    requiredClaims: spec.requiredClaims.map(({ path, value }) => ({ path, value })),
    groupsPath: spec.groupsClaim?.path,
    keys,
    cachePrefix: cachePrefix([policy.uid, String(policy.generation), name, JSON.stringify(spec)]),
  });
}

/** A hash over parts with their lengths: no choice of parts reads like another. */
function cachePrefix(parts: readonly string[]): string {
  return hash('sha256', parts.map((part) => `${Buffer.byteLength(part)}:${part}`).join(''), 'base64url');
}

function keySourceOf(spec: JwtSpec, { sources, problems }: AuthnContext & { readonly problems: ProblemList }): KeySource | undefined {
  if (spec.jwks === undefined) {
    if (/^https?:\/\//.test(spec.issuer)) return sources.byDiscovery(spec.issuer);
    problems.at('issuer').error('Invalid', 'Keys can be discovered only of an issuer that is a URL: set jwks.url or jwks.inline');
    return undefined;
  }
  if (spec.jwks.url !== undefined) return sources.byUrl(spec.jwks.url);
  const at = problems.at('jwks').at('inline');
  const parsed = parseStrictJson(spec.jwks.inline ?? '');
  const keys = parsed.ok ? (parsed.value as JSONWebKeySet | null) : undefined;
  if (!Array.isArray(keys?.keys)) {
    at.error('Invalid', 'This is not a JWK Set: write {"keys": [...]}');
    return undefined;
  }
  const source = sources.inline(keys);
  if (typeof source !== 'string') return source;
  at.error('Invalid', source);
  return undefined;
}

function compilePublic(routes: PublicSpec, context: AuthnContext, problems: ProblemList): PublicRoute[] {
  const compiled: PublicRoute[] = [];
  for (const [index, route] of routes.entries()) {
    const paths = compilePathTemplates(route.paths, context, problems.at(index).at('paths'));
    if (paths !== undefined) compiled.push({ methods: new Set(route.methods), paths });
  }
  return compiled;
}

/** RFC 6750 §3: no error code where nothing was sent, `invalid_token` where it was; API keys name their own scheme. */
function challengesOf(methods: readonly Method[]): Pick<Authentication, 'missingChallenges' | 'invalidChallenges'> {
  const schemes = new Set(methods.map((method) => (method.kind === 'jwt' ? 'Bearer' : 'ApiKey')));
  return {
    missingChallenges: [...schemes].map((scheme) => `${scheme} realm="api"`),
    invalidChallenges: [...schemes].map((scheme) => (scheme === 'Bearer' ? 'Bearer realm="api", error="invalid_token"' : `${scheme} realm="api"`)),
  };
}
