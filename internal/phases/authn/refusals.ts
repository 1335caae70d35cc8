import type { Refusal } from '../../core/decision.ts';

/** Why nobody claims what a carrier holds. */
export const CLAIM_FAILURES = ['credential_unknown', 'token_malformed'] as const;
export type ClaimFailure = (typeof CLAIM_FAILURES)[number];

/** Why a claimed credential proves nobody. */
export const VERIFICATION_FAILURES = [
  'credential_unknown',
  'credential_expired',
  'token_malformed',
  'token_invalid',
  'token_expired',
  'issuer_unavailable',
] as const;
export type VerificationFailure = (typeof VERIFICATION_FAILURES)[number];

/** Every refusal of one policy's authentication, made when the policy arrives. */
export interface Refusals {
  readonly missing: Refusal;
  readonly ambiguous: Refusal;
  readonly unclaimed: Readonly<Record<ClaimFailure, Refusal>>;
  /** By index of the method that claimed the credential. */
  readonly failed: readonly Readonly<Record<VerificationFailure, Refusal>>[];
}

/** Longer than a source waits after a failure, so that who waits does not come too early. */
const ISSUER_RETRY_S = 10;
const REALM = 'realm="api"';

/** The part of a method that its challenge needs. */
interface Challenger {
  readonly name: string;
  /** Scheme of RFC 9110 §11.1 that the method is challenged with; `Bearer` has error codes (RFC 6750 §3.1). */
  readonly scheme: string;
}

export function compileRefusals(methods: readonly Challenger[]): Refusals {
  const schemes = [...new Set(methods.map((method) => method.scheme))];
  const challenges = (failed?: string, error = 'invalid_token'): readonly string[] =>
    Object.freeze(
      schemes.map((scheme) => {
        const hasError = scheme === 'Bearer' && (failed === undefined || failed === scheme);
        return hasError && error !== '' ? `${scheme} ${REALM}, error="${error}"` : `${scheme} ${REALM}`;
      }),
    );
  return Object.freeze({
    // RFC 6750 §3.1: where nothing was sent, no error code tells anything.
    missing: missing(methods, challenges(undefined, '')),
    ambiguous: Object.freeze<Refusal>({
      reason: 'ambiguous_credentials',
      detail: 'Send one credential, once',
      challenges: challenges(undefined, 'invalid_request'),
    }),
    unclaimed: byReason(CLAIM_FAILURES, { challenges: challenges() }),
    failed: methods.map(({ name, scheme }) =>
      byReason(VERIFICATION_FAILURES, { rule: name, challenges: challenges(scheme) }),
    ),
  });
}

/** Where no method is set nobody can get in: a 401 would ask for what does not exist. */
function missing(methods: readonly Challenger[], challenges: readonly string[]): Refusal {
  return Object.freeze<Refusal>(
    methods.length === 0 ? { reason: 'not_allowed' } : { reason: 'credential_missing', challenges },
  );
}

function byReason<R extends VerificationFailure>(
  reasons: readonly R[],
  rest: Pick<Refusal, 'rule' | 'challenges'>,
): Readonly<Record<R, Refusal>> {
  const entries = reasons.map((reason): [R, Refusal] => {
    const { challenges: _, ...named } = rest;
    const refusal = reason === 'issuer_unavailable' ? { ...named, retryAfterS: ISSUER_RETRY_S } : rest;
    return [reason, Object.freeze({ reason, ...refusal })];
  });
  return Object.freeze(Object.fromEntries(entries)) as Record<R, Refusal>;
}
