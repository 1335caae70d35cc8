import type { JwtRules } from './jwt-rules.ts';

export type Claims = Readonly<Record<string, unknown>>;

/** What jose leaves open: numbers JSON cannot hold, members of `aud`, texts that are not Unicode, required claims. */
export function hasGoodClaims(claims: Claims, rules: JwtRules): boolean {
  const { exp, nbf, iat, aud, sub } = claims;
  if (!Number.isFinite(exp) || ![nbf, iat].every((time) => time === undefined || Number.isFinite(time))) return false;
  if (aud !== undefined && !(Array.isArray(aud) ? aud : [aud]).every((one) => typeof one === 'string')) return false;
  // A lone surrogate would make different subjects one and the same id.
  if (sub !== undefined && !(typeof sub === 'string' && sub.isWellFormed())) return false;
  return rules.requiredClaims.every(({ path, value }) => hasClaim(claims, path, value));
}

/** The claim at a path, own members only; undefined when a step is missing. */
export function claimAt(claims: Claims, path: readonly string[]): unknown {
  let claim: unknown = claims;
  for (const step of path) {
    if (typeof claim !== 'object' || claim === null || !Object.hasOwn(claim, step)) return undefined;
    claim = (claim as Record<string, unknown>)[step];
  }
  return claim;
}

/** Whether a claim is there, or is or lists a text. */
function hasClaim(claims: Claims, path: readonly string[], value: string | undefined): boolean {
  const claim = claimAt(claims, path);
  if (value === undefined) return claim !== undefined && claim !== null;
  return claim === value || (Array.isArray(claim) && claim.includes(value));
}
