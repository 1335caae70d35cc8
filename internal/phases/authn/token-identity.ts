import { type Identity, identityId } from '../../core/identity.ts';

type Claims = Readonly<Record<string, unknown>>;

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
export function hasClaim(claims: Claims, path: readonly string[], value: string | undefined): boolean {
  const claim = claimAt(claims, path);
  if (value === undefined) return claim !== undefined && claim !== null;
  return claim === value || (Array.isArray(claim) && claim.includes(value));
}

/** Latest time that a date can hold, in milliseconds (ECMA-262 §21.4.1.1). */
const MAX_TIME_MS = 8.64e15;

/** Whom a verified token proves. A token without a subject proves its issuer only: subject and id are null. */
export function identityOfToken(
  claims: Claims,
  method: { readonly name: string; readonly issuer: string; readonly groupsPath: readonly string[] | undefined },
): Identity {
  const subject = typeof claims.sub === 'string' && claims.sub !== '' ? claims.sub : null;
  const authTimeMs = typeof claims.auth_time === 'number' ? claims.auth_time * 1000 : Number.NaN;
  return Object.freeze({
    kind: 'jwt',
    issuer: method.issuer,
    subject,
    id: subject === null ? null : identityId('jwt', method.issuer, subject),
    groups: Object.freeze(method.groupsPath === undefined ? [] : textsOf(claimAt(claims, method.groupsPath))),
    scopes: Object.freeze(scopesOf(claims)),
    claims,
    consumer: null,
    authTimeMs: Math.abs(authTimeMs) <= MAX_TIME_MS ? authTimeMs : null,
    method: method.name,
  });
}

function textsOf(claim: unknown): string[] {
  if (Array.isArray(claim)) return claim.filter((item) => typeof item === 'string');
  return typeof claim === 'string' && claim !== '' ? [claim] : [];
}

/** `scope` is one text of words (RFC 8693 §4.2), `scp` a list or such a text. */
function scopesOf({ scope, scp }: Claims): string[] {
  const claim = scope ?? scp;
  return typeof claim === 'string' ? claim.split(' ').filter((word) => word !== '') : textsOf(claim);
}
