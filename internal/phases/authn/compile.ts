import { LRUCache } from 'lru-cache';
import type { Steps } from '../../core/breather.ts';
import type { PolicyRef } from '../../core/decision.ts';
import type { Carrier } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import type { Request } from '../../core/request.ts';
import { compilePathTemplates, lowerAscii, type PathMatcher } from '../../match/path-template.ts';
import { isKeyText } from './api-key.ts';
import { carrierOf, carrierText, overlap, sameCarrier } from './carriers.ts';
import { claimToken, type TokenReader } from './jwt.ts';
import { compileJwt, type JwtRules } from './jwt-rules.ts';
import type { KeySources } from './key-source.ts';
import { type ClaimFailure, compileRefusals, type Refusals } from './refusals.ts';
import type { AuthenticationSpec, CarrierSpec, MethodSpec, PublicSpec } from './spec.ts';
import type { TokenCache } from './token-cache.ts';

export type { KeySources } from './key-source.ts';

export interface AuthnContext {
  readonly policy: PolicyRef;
  readonly sources: KeySources;
  readonly caseInsensitive: boolean;
}

interface MethodCommon {
  readonly name: string;
  readonly carriers: readonly Carrier[];
  /** Scheme that callers are challenged with. */
  readonly scheme: string;
  /** Whether the upstream must not see the credential. */
  readonly isRemoved: boolean;
}

/** One way to prove who is calling; a further kind is one more member, and one file. */
export type Method =
  | (MethodCommon & { readonly kind: 'apiKey' })
  | (MethodCommon & { readonly kind: 'jwt'; readonly jwt: JwtRules });

/** A carrier with what claims the credential in it for one of the methods that read it. */
export interface ReadCarrier {
  readonly carrier: Carrier;
  readonly claim: (held: string, request: Request, cache: TokenCache) => Claim | ClaimFailure;
}

export interface Claim {
  /** Index of the method. */
  readonly method: number;
  readonly cacheKey: string | undefined;
}

export interface PublicRoute {
  readonly methods: ReadonlySet<string>;
  readonly paths: PathMatcher;
}

/** `authentication` and `public` of one policy, compiled. */
export interface Authentication {
  readonly methods: readonly Method[];
  readonly carriers: readonly ReadCarrier[];
  readonly allowsAnonymous: boolean;
  readonly publicRoutes: readonly PublicRoute[];
  /** Carriers that the upstream must not see, whoever calls and also on public routes. */
  readonly removals: readonly Carrier[];
  /** Carriers from which the upstream is to see the credential. */
  readonly forwarded: readonly Carrier[];
  readonly refusals: Refusals;
}

interface AuthnSpecs {
  readonly authentication: AuthenticationSpec | undefined;
  readonly publicRoutes: PublicSpec | undefined;
}

/**
 * Many policies ask for the same. What holds nothing of its policy is shared: of ten thousand policies that are asked in
 * turn, nothing else is in the processor's cache.
 */
const shared = new LRUCache<string, Authentication>({ max: 1024 });
/** A longer one is seldom asked for twice, and would be kept for as long. */
const MAX_SHARED_LENGTH = 4096;

/** Compiles `authentication` and `public`; every mistake of the author goes to `problems`. */
export function* compileAuthentication(
  specs: AuthnSpecs,
  context: AuthnContext,
  problems: ProblemList,
): Steps<Authentication> {
  const key = sharedKey(specs, context);
  const known = key === undefined ? undefined : shared.get(key);
  if (known !== undefined) return known;
  const before = problems.problems.length;
  const made = yield* compileAnew(specs, context, problems);
  // What has something to be said of is compiled each time, so that it is said each time.
  if (key !== undefined && problems.problems.length === before) shared.set(key, made);
  return made;
}

/** All that it is made of; undefined where that is the policy's own, as the place of its tokens' verdicts. */
function sharedKey(
  { authentication, publicRoutes }: AuthnSpecs,
  { caseInsensitive }: AuthnContext,
): string | undefined {
  if (authentication?.methods?.some(({ jwt }) => jwt !== undefined)) return undefined;
  const key = JSON.stringify([caseInsensitive, authentication ?? null, publicRoutes ?? null]);
  return key.length > MAX_SHARED_LENGTH ? undefined : key;
}

function* compileAnew(specs: AuthnSpecs, context: AuthnContext, problems: ProblemList): Steps<Authentication> {
  const at = problems.at('authentication').at('methods');
  const methods: Method[] = [];
  for (const [index, spec] of (specs.authentication?.methods ?? []).entries()) {
    // Keys that are written out are read here.
    yield;
    const method = compileMethod(spec, context, at.at(index));
    if (method === undefined) continue;
    for (const other of methods) checkPair(method, other, at.at(index));
    methods.push(method);
  }
  return Object.freeze({
    methods,
    carriers: carriersOf(methods),
    allowsAnonymous: specs.authentication?.anonymous !== undefined,
    publicRoutes: compilePublic(specs.publicRoutes ?? [], context, problems.at('public')),
    removals: carriersWhere(methods, ({ isRemoved }) => isRemoved),
    forwarded: carriersWhere(methods, ({ isRemoved }) => !isRemoved),
    refusals: compileRefusals(methods),
  });
}

/** Carriers of those methods, each once. */
function carriersWhere(methods: readonly Method[], is: (method: Method) => boolean): readonly Carrier[] {
  const carriers = methods.filter(is).flatMap((method) => method.carriers);
  return carriers.filter((carrier, index) => carriers.findIndex((other) => sameCarrier(other, carrier)) === index);
}

function compileMethod(spec: MethodSpec, context: AuthnContext, problems: ProblemList): Method | undefined {
  const { name } = spec;
  if (spec.apiKey !== undefined) {
    const carriers = compileCarriers(spec.apiKey.from, problems.at('apiKey').at('from'));
    const isRemoved = spec.credentials !== 'Forward';
    return { kind: 'apiKey', name, carriers, isRemoved, scheme: keyScheme(spec.apiKey.from) };
  }
  if (spec.jwt === undefined) return undefined;
  const carriers = compileCarriers(spec.jwt.from, problems.at('jwt').at('from'));
  const jwt = compileJwt(spec.jwt, { ...context, name }, problems.at('jwt'));
  if (jwt === undefined) return undefined;
  return { kind: 'jwt', name, carriers, isRemoved: spec.credentials === 'Remove', scheme: 'Bearer', jwt };
}

/** The scheme that keys are sent with, if they are; else one of our own, for a 401 must name one (RFC 9110 §15.5.2). */
function keyScheme(from: readonly CarrierSpec[]): string {
  const scheme = from.find((carrier) => carrier.authorizationScheme !== undefined)?.authorizationScheme ?? 'ApiKey';
  return lowerAscii(scheme) === 'bearer' ? 'Bearer' : scheme;
}

/** Headers that hold more than a credential: to remove one would break the request. */
const NO_CARRIERS: ReadonlySet<string> = new Set(['connection', 'content-length', 'content-type', 'cookie', 'host']);

function compileCarriers(specs: readonly CarrierSpec[], problems: ProblemList): readonly Carrier[] {
  const carriers = specs.map(carrierOf);
  for (const [index, { kind, name }] of carriers.entries()) {
    if (kind !== 'header' || !(NO_CARRIERS.has(name) || name.startsWith('x-envoy-'))) continue;
    const hint = name === 'cookie' ? 'name the cookie instead, as in cookie: session' : 'use a header of its own';
    problems.at(index).error('Invalid', `"${name}" holds more than a credential: ${hint}`);
  }
  for (const [index, carrier] of carriers.entries()) {
    const whole = carriers.find((other) => !sameCarrier(other, carrier) && overlap(other, carrier));
    if (whole?.kind !== 'header') continue;
    const both = `${carrierText(whole)} holds ${carrierText(carrier)}, so what is sent there would be two credentials`;
    problems.at(index).error('AmbiguousMethods', `${both}: keep one of them`);
  }
  return carriers;
}

/** Two methods that would claim the same credential leave nobody knowing whose it is. */
function checkPair(method: Method, other: Method, problems: ProblemList): void {
  const pairs = method.carriers.flatMap((mine) =>
    other.carriers.filter((theirs) => overlap(mine, theirs)).map((theirs) => ({ mine, theirs })),
  );
  const isToken = method.kind === 'jwt' && other.kind === 'jwt' && method.jwt.issuer !== other.jwt.issuer;
  // Only in one and the same place a token's issuer tells: a whole header holds the scheme too, which is no token's.
  const unclear = pairs.find(({ mine, theirs }) => !isToken || !sameCarrier(mine, theirs));
  if (unclear !== undefined) {
    const { mine, theirs } = unclear;
    const both = sameCarrier(mine, theirs)
      ? `both read ${carrierText(mine)}`
      : `read ${carrierText(theirs)} and ${carrierText(mine)}, of which one holds the other`;
    problems.error('AmbiguousMethods', `"${other.name}" and "${method.name}" ${both}: give one of them another "from"`);
  } else if (pairs[0] !== undefined && method.isRemoved !== other.isRemoved) {
    const both = `"${other.name}" and "${method.name}" both read ${carrierText(pairs[0].mine)}`;
    problems.error('AmbiguousMethods', `${both}, but only one removes what it holds: give both the same "credentials"`);
  }
}

function carriersOf(methods: readonly Method[]): ReadCarrier[] {
  const carriers: Carrier[] = [];
  for (const carrier of methods.flatMap((method) => method.carriers)) {
    if (!carriers.some((other) => sameCarrier(other, carrier))) carriers.push(carrier);
  }
  return carriers.map((carrier) => ({ carrier, claim: claimOf(carrier, methods) }));
}

/** How a credential in one carrier finds its method: a key by its place, a token by its issuer. */
function claimOf(carrier: Carrier, methods: readonly Method[]): ReadCarrier['claim'] {
  const readers: TokenReader[] = [];
  for (const [index, method] of methods.entries()) {
    if (!method.carriers.some((other) => sameCarrier(other, carrier))) continue;
    if (method.kind === 'apiKey') {
      const claim: Claim = Object.freeze({ method: index, cacheKey: undefined });
      return (held, request) => (isKeyText(held, carrier, request) ? claim : 'credential_unknown');
    }
    readers.push({ index, rules: method.jwt });
  }
  return (held, _request, cache) => claimToken(held, readers, cache);
}

function compilePublic(routes: PublicSpec, context: AuthnContext, problems: ProblemList): PublicRoute[] {
  const compiled: PublicRoute[] = [];
  for (const [index, route] of routes.entries()) {
    const paths = compilePathTemplates(route.paths, context, problems.at(index).at('paths'));
    if (paths !== undefined) compiled.push({ methods: new Set(route.methods), paths });
  }
  return compiled;
}
