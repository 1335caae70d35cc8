import type { Refusal } from '../../core/decision.ts';
import type { Carrier } from '../../core/evaluation.ts';
import { bounded } from '../../core/explanation.ts';
import { carrierText } from './carriers.ts';

/** Why nobody claims what a carrier holds. */
export type ClaimFailure = 'credential_unknown' | 'issuer_unknown' | 'token_malformed';

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
  readonly carriers: readonly Carrier[];
}

const MAX_CAUSE = 480;
const NO_METHOD = 'the policy has no authentication method, so nobody can get in';
/** Causes that no token tells: of what nobody claims, and of API keys. */
const NO_KEY = 'what was sent can be no key: it is too long, or holds what is no text';
const NO_ISSUER = 'no method takes tokens of this issuer';
const NO_TOKEN = 'what was sent is no signed JWT of three parts';
const CAUSES: Readonly<Partial<Record<VerificationFailure, string>>> = {
  credential_unknown: 'no APIConsumer of the namespace holds this key',
  credential_expired: 'an APIConsumer holds this key, but not at this time',
};

export function compileRefusals(methods: readonly Challenger[]): Refusals {
  const schemes = [...new Set(methods.map((method) => method.scheme))];
  const challenges = (failed?: string, error = 'invalid_token'): readonly string[] =>
    Object.freeze(
      schemes.map((scheme) => {
        const hasError = scheme === 'Bearer' && (failed === undefined || failed === scheme);
        return hasError && error !== '' ? `${scheme} ${REALM}, error="${error}"` : `${scheme} ${REALM}`;
      }),
    );
  const unclaimed = (reason: VerificationFailure, cause: string): Refusal =>
    Object.freeze({ reason, challenges: challenges(), cause });
  return Object.freeze({
    // RFC 6750 §3.1: where nothing was sent, no error code tells anything.
    missing: missing(methods, challenges(undefined, '')),
    ambiguous: Object.freeze<Refusal>({
      reason: 'ambiguous_credentials',
      detail: 'Send one credential, once',
      challenges: challenges(undefined, 'invalid_request'),
    }),
    unclaimed: Object.freeze({
      credential_unknown: unclaimed('credential_unknown', NO_KEY),
      issuer_unknown: unclaimed('credential_unknown', NO_ISSUER),
      token_malformed: unclaimed('token_malformed', NO_TOKEN),
    }),
    failed: methods.map(({ name, scheme }) =>
      byReason(VERIFICATION_FAILURES, { rule: name, challenges: challenges(scheme) }),
    ),
  });
}

/** The refusal of more than one credential: it says which carriers hold them. */
export function ambiguousIn({ ambiguous }: Refusals, carriers: readonly Carrier[]): Refusal {
  const [first = '', second] = carriers.map(carrierText);
  const cause = second === undefined ? `more than one in the ${first}` : `one in the ${first}, one in the ${second}`;
  return { ...ambiguous, cause };
}

/** Where no method is set nobody can get in: a 401 would ask for what does not exist. */
function missing(methods: readonly Challenger[], challenges: readonly string[]): Refusal {
  return Object.freeze<Refusal>(
    methods.length === 0
      ? { reason: 'not_allowed', cause: NO_METHOD }
      : { reason: 'credential_missing', challenges, cause: lookedAt(methods) },
  );
}

function lookedAt(methods: readonly Challenger[]): string {
  const carriers = new Set(methods.flatMap((method) => method.carriers.map(carrierText)));
  return bounded(`looked at: ${[...carriers].join(', ')}`, MAX_CAUSE);
}

function byReason<R extends VerificationFailure>(
  reasons: readonly R[],
  rest: Pick<Refusal, 'rule' | 'challenges'>,
): Readonly<Record<R, Refusal>> {
  const entries = reasons.map((reason): [R, Refusal] => {
    const { challenges: _, ...named } = rest;
    const refusal = reason === 'issuer_unavailable' ? { ...named, retryAfterS: ISSUER_RETRY_S } : rest;
    const cause = CAUSES[reason];
    return [reason, Object.freeze({ reason, ...refusal, ...(cause !== undefined && { cause }) })];
  });
  return Object.freeze(Object.fromEntries(entries)) as Record<R, Refusal>;
}
