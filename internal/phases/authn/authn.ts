import type { Refusal } from '../../core/decision.ts';
import type { Credential, Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { ANONYMOUS, type Identity, UNAUTHENTICATED } from '../../core/identity.ts';
import type { Request } from '../../core/request.ts';
import { matchesAll } from '../../match/path-template.ts';
import { verifyKey } from './api-key.ts';
import { readCarrier, SEVERAL } from './carriers.ts';
import type { Authentication, Method } from './compile.ts';
import { verifyToken } from './jwt.ts';
import { ambiguousIn, type ClaimFailure, type Refusals, type VerificationFailure } from './refusals.ts';
import type { TokenCache } from './token-cache.ts';
import { TokenFailure } from './token-failure.ts';

/**
 * Finds the one credential that one method claims. A carrier that no method reads is not looked at; in one that is
 * read, what nobody claims is rejected: an invalid credential is never tried elsewhere and never anonymous. What is
 * rejected does not depend on the order of methods; it is refused only by the step that proves, so that limits on
 * failures count it like any other guess.
 */
export const findCredential = (authentication: Authentication, cache: TokenCache): Step =>
  once(finding, authentication, cache, () => finder(authentication, cache));

/** Proves the credential that was found. Waits only for a token that was not verified before. */
export const verifyCredential = (authentication: Authentication, cache: TokenCache): Step =>
  once(proving, authentication, cache, () => prover(authentication, cache));

/** Steps by what they are made of: policies that share it share them. */
type StepsOf = WeakMap<Authentication, WeakMap<TokenCache, Step>>;
const finding: StepsOf = new WeakMap();
const proving: StepsOf = new WeakMap();

function once(steps: StepsOf, authentication: Authentication, cache: TokenCache, make: () => Step): Step {
  let byCache = steps.get(authentication);
  if (byCache === undefined) {
    byCache = new WeakMap();
    steps.set(authentication, byCache);
  }
  const known = byCache.get(cache) ?? make();
  byCache.set(cache, known);
  return known;
}

function finder(authentication: Authentication, cache: TokenCache): Step {
  const { refusals } = authentication;
  return (evaluation) => {
    const { request } = evaluation;
    if (isPublic(authentication, request)) {
      evaluation.isPublic = true;
      evaluation.identity = ANONYMOUS;
      evaluation.knowsCaller = true;
      return undefined;
    }
    let found: Credential | undefined;
    let unclaimed: ClaimFailure | undefined;
    const { carriers } = authentication;
    for (let i = 0; i < carriers.length; i += 1) {
      const read = carriers[i];
      if (read === undefined) continue;
      const held = readCarrier(read.carrier, request);
      if (held === undefined) continue;
      if (held === SEVERAL) return reject(evaluation, ambiguousIn(refusals, [read.carrier]));
      const claim = read.claim(held, request, cache);
      // Of several reasons the first by name, so that the order of methods tells nothing.
      if (typeof claim === 'string') unclaimed = unclaimed === undefined || claim < unclaimed ? claim : unclaimed;
      else if (found !== undefined) return reject(evaluation, ambiguousIn(refusals, [found.carrier, read.carrier]));
      else found = { method: claim.method, carrier: read.carrier, value: held, cacheKey: claim.cacheKey };
    }
    if (unclaimed !== undefined) return reject(evaluation, refusals.unclaimed[unclaimed]);
    evaluation.credential = found;
    if (found !== undefined) return undefined;
    if (!authentication.allowsAnonymous) return refuse(evaluation, refusals.missing);
    evaluation.identity = ANONYMOUS;
    evaluation.knowsCaller = true;
    return undefined;
  };
}

function reject(evaluation: Evaluation, refusal: Refusal): undefined {
  evaluation.rejection = refusal;
}

function prover({ methods, refusals }: Authentication, cache: TokenCache): Step {
  return (evaluation) => {
    const { credential, rejection } = evaluation;
    if (rejection !== undefined) return refuse(evaluation, rejection);
    if (credential === undefined) return undefined;
    const method = methods[credential.method];
    if (method === undefined) throw new Error('A credential names a method that is not there');
    const verdict = prove(method, credential, { evaluation, cache });
    if (verdict instanceof Promise) return verdict.then((settled) => settle(evaluation, settled, refusals));
    return settle(evaluation, verdict, refusals);
  };
}

type Proved = Identity | VerificationFailure | TokenFailure;

/** One row for each kind of method. */
function prove(
  method: Method,
  credential: Credential,
  { evaluation, cache }: { readonly evaluation: Evaluation; readonly cache: TokenCache },
): Proved | Promise<Proved> {
  switch (method.kind) {
    case 'apiKey':
      return verifyKey(credential.value, method.name, evaluation);
    case 'jwt':
      return verifyToken(credential, { name: method.name, rules: method.jwt, cache, wallMs: evaluation.wallMs });
    default:
      return method satisfies never;
  }
}

function settle(evaluation: Evaluation, verdict: Proved, refusals: Refusals): StepResult {
  const isToken = verdict instanceof TokenFailure;
  if (!isToken && typeof verdict !== 'string') {
    evaluation.identity = verdict;
    evaluation.knowsCaller = true;
    return undefined;
  }
  const refusal = refusals.failed[evaluation.credential?.method ?? -1]?.[isToken ? verdict.reason : verdict];
  if (refusal === undefined) throw new Error('A failed credential has no refusal');
  return refuse(evaluation, isToken ? { ...refusal, cause: verdict.cause } : refusal);
}

/** In Audit the check goes on, as somebody who has proved nothing. */
function refuse(evaluation: Evaluation, refusal: Refusal): StepResult {
  evaluation.identity = UNAUTHENTICATED;
  const enforced = evaluation.refuse(refusal);
  if (enforced !== undefined) return enforced;
  evaluation.credential = undefined;
  evaluation.knowsCaller = true;
  return undefined;
}

function isPublic({ publicRoutes }: Authentication, request: Request): boolean {
  for (const route of publicRoutes) {
    if (route.methods.has(request.method) && matchesAll(route.paths, request.readings) !== undefined) return true;
  }
  return false;
}
