import { member } from '../../core/member.ts';
import type { JwtRules } from './jwt-rules.ts';
import { AUDIENCE, claimDiffers, claimMissing, SUBJECT, TIMES, type TokenFailure } from './token-failure.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** What jose leaves open: numbers JSON cannot hold, members of `aud`, texts that are not Unicode, required claims. */
export function wrongClaim(claims: Claims, rules: JwtRules): TokenFailure | undefined {
  const { exp, nbf, iat, aud, sub } = claims;
  if (!Number.isFinite(exp) || ![nbf, iat].every((time) => time === undefined || Number.isFinite(time))) return TIMES;
  if (aud !== undefined && !(Array.isArray(aud) ? aud : [aud]).every((one) => typeof one === 'string')) return AUDIENCE;
  // A lone surrogate would make different subjects one and the same id.
  if (sub !== undefined && !(typeof sub === 'string' && sub.isWellFormed())) return SUBJECT;
  for (const { path, value } of rules.requiredClaims) {
    const claim = claimAt(claims, path);
    if (claim === undefined || claim === null) return claimMissing(path);
    if (value !== undefined && !isOrLists(claim, value)) return claimDiffers(path);
  }
  return undefined;
}

/** The claim at a path, own members only; undefined when a step is missing. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let claim: unknown = claims;
  for (const step of path) claim = member(claim, step);
  return claim;
}

const isOrLists = (claim: unknown, value: string): boolean =>
  claim === value || (Array.isArray(claim) && claim.includes(value));
