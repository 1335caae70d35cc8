import { type Identity, identityId } from '../../core/identity.ts';
import { type Claims, claimAt } from './token-claims.ts';

/** Latest time that a date can hold, in milliseconds (ECMA-262 §21.4.1.1). */
const MAX_TIME_MS = 8.64e15;

/**
 * Whom a verified token proves. One without a subject proves its issuer only: its subject is null, and all of an
 * issuer's share one id, so that limits by id count them too.
 */
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
    id: identityId('jwt', method.issuer, subject ?? ''),
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
