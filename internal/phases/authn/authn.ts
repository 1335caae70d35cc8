import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { ANONYMOUS, type Identity, UNAUTHENTICATED } from '../../core/identity.ts';
import type { ReasonName } from '../../core/reasons.ts';
import type { Request } from '../../core/request.ts';
import { matchesAll } from '../../match/path-template.ts';
import { readCarrier, SEVERAL } from './carriers.ts';
import type { Authentication, Method, ReadCarrier } from './compile.ts';
import { cachedIdentity, cacheKeyOf, digestOf, type TokenCache, verifyToken } from './jwt.ts';
import { looksLikeToken, parseToken } from './token.ts';

const AMBIGUOUS: Refusal = Object.freeze({
  reason: 'ambiguous_credentials',
  detail: 'Send one credential, once',
  challenges: ['Bearer realm="api", error="invalid_request"'],
});

/**
 * Finds the one credential that one method claims. A carrier that no method reads is not looked at; in one that is
 * read, what nobody claims is refused: an invalid credential is never tried elsewhere and never anonymous.
 */
export function findCredential(authentication: Authentication, cache: TokenCache): Step {
  const missing: Refusal = Object.freeze({ reason: 'credential_missing', challenges: authentication.missingChallenges });
  const unknown: Refusal = Object.freeze({ reason: 'credential_unknown', challenges: authentication.invalidChallenges });
  return (evaluation) => {
    const { request } = evaluation;
    if (isPublic(authentication, request)) {
      evaluation.isPublic = true;
      return undefined;
    }
    let isUnclaimed = false;
    for (const read of authentication.carriers) {
      const held = readCarrier(read.carrier, request);
      if (held === undefined) continue;
      if (held === SEVERAL || evaluation.credential !== undefined) return refuse(evaluation, AMBIGUOUS);
      const claim = claimant(authentication.methods, { read, held, request, cache });
      if (claim === undefined) isUnclaimed = true;
      else evaluation.credential = { ...claim, carrier: read.carrier, value: held };
    }
    if (isUnclaimed) return refuse(evaluation, unknown);
    if (evaluation.credential !== undefined || authentication.allowsAnonymous) return undefined;
    return refuse(evaluation, missing);
  };
}

/** Proves the credential that was found. Waits only for a token that was not verified before. */
export function verifyCredential(authentication: Authentication, cache: TokenCache): Step {
  const refusals = new Map<ReasonName, Refusal>();
  for (const reason of ['credential_unknown', 'credential_expired', 'token_malformed', 'token_invalid', 'token_expired'] as const) {
    refusals.set(reason, Object.freeze({ reason, challenges: authentication.invalidChallenges }));
  }
  refusals.set('issuer_unavailable', Object.freeze({ reason: 'issuer_unavailable', retryAfterS: 5 }));
  const settle = (evaluation: Evaluation, verdict: Identity | ReasonName): StepResult => {
    if (typeof verdict !== 'string') {
      evaluation.identity = verdict;
      return undefined;
    }
    return refuse(evaluation, refusals.get(verdict) ?? { reason: verdict });
  };
  return (evaluation) => {
    const { credential } = evaluation;
    if (credential === undefined) return undefined;
    const method = authentication.methods[credential.method];
    if (method === undefined) throw new Error('A credential names a method that is not there');
    if (method.kind === 'apiKey') {
      const found = evaluation.namespace.consumers.find(credential.value, method.name, evaluation.wallMs);
      if (typeof found !== 'string') return settle(evaluation, found);
      return settle(evaluation, found === 'unknown' ? 'credential_unknown' : 'credential_expired');
    }
    const cacheKey = cacheKeyOf(method.jwt, credential.digest ?? digestOf(credential.value));
    const known = cachedIdentity(cache, cacheKey, { method: method.jwt, wallMs: evaluation.wallMs });
    if (known !== undefined) return settle(evaluation, known);
    const context = { method: method.jwt, cache, cacheKey, wallMs: evaluation.wallMs };
    return verifyToken(credential.value, context).then((verdict) => settle(evaluation, verdict));
  };
}

/** In Audit the check goes on, as somebody who has proved nothing. */
function refuse(evaluation: Evaluation, refusal: Refusal): StepResult {
  evaluation.identity = ANONYMOUS;
  const enforced = evaluation.refuse(refusal);
  if (enforced !== undefined) return enforced;
  evaluation.credential = undefined;
  evaluation.identity = UNAUTHENTICATED;
  return undefined;
}

function isPublic({ publicRoutes }: Authentication, request: Request): boolean {
  for (const route of publicRoutes) {
    if (route.methods.has(request.method) && matchesAll(route.paths, request.readings) !== undefined) return true;
  }
  return false;
}

interface Presented {
  readonly read: ReadCarrier;
  readonly held: string;
  readonly request: Request;
  readonly cache: TokenCache;
}

type Claim = { readonly method: number; readonly digest: string | undefined };

/** The one method that claims what a carrier holds: an API key by its place, a token by its issuer. */
function claimant(methods: readonly Method[], { read, held, request, cache }: Presented): Claim | undefined {
  const [first] = read.methods;
  if (first === undefined) return undefined;
  if (methods[first]?.kind === 'apiKey') return isKeyText(held, read, request) ? { method: first, digest: undefined } : undefined;
  if (!looksLikeToken(held)) return undefined;
  const digest = digestOf(held);
  // A token that was verified before need not be taken apart to know whose it is.
  const known = read.methods.find((index) => {
    const method = methods[index];
    return method?.kind === 'jwt' && cache.has(cacheKeyOf(method.jwt, digest));
  });
  if (known !== undefined) return { method: known, digest };
  const issuer = parseToken(held)?.payload.iss;
  const method = read.methods.findIndex((index) => {
    const candidate = methods[index];
    return candidate?.kind === 'jwt' && candidate.jwt.issuer === issuer;
  });
  const index = read.methods[method];
  return index === undefined ? undefined : { method: index, digest };
}

/**
 * Whether a text can be the key that was sent. Bytes that are not UTF-8 arrive as lone surrogates, or, where Envoy sends
 * `headers`, folded to "!": different keys would become equal.
 */
function isKeyText(held: string, { carrier }: ReadCarrier, request: Request): boolean {
  if (!held.isWellFormed()) return false;
  const isFolded = request.headers.isJoined && carrier.kind !== 'query';
  return !(isFolded && held.includes('!'));
}
