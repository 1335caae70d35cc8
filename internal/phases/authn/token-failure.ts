import type { VerificationFailure } from './refusals.ts';

/** Why a token proves nobody: the reason that its caller reads, and a cause that operators alone do. A value. */
export class TokenFailure {
  readonly reason: VerificationFailure;
  /** Of a closed set, with words of the policy at most: nothing of the token. */
  readonly cause: string;

  constructor(reason: VerificationFailure, cause: string) {
    this.reason = reason;
    this.cause = cause;
    Object.freeze(this);
  }
}

const invalid = (cause: string): TokenFailure => new TokenFailure('token_invalid', cause);

export const MALFORMED = new TokenFailure('token_malformed', 'it is no signed JWT of three parts');
export const UNAVAILABLE = new TokenFailure('issuer_unavailable', 'no keys of the issuer can be had');
export const ALGORITHM = invalid('its algorithm is not taken');
export const EXTENSIONS = invalid('its header asks for crit, b64 or zip, which are not taken');
export const KEY_NAME = invalid('its kid is no text');
export const TYPE = invalid('its typ is not taken');
export const UNKNOWN_KEY = invalid('no key of the issuer has its kid and fits its algorithm');
export const SIGNATURE = invalid('the signature is wrong');
export const AUDIENCE = invalid('the audience is none that the method takes');
export const ISSUER = invalid('the issuer is not the one of the method');
export const NO_EXPIRY = invalid('exp is missing');
export const EARLY = invalid('it is not valid yet');
export const TIMES = invalid('exp, nbf or iat is no number');
export const SUBJECT = invalid('sub is no Unicode text');
export const UNVERIFIABLE = invalid('it cannot be verified');
export const EXPIRED = new TokenFailure('token_expired', 'exp has passed');

/** @param path as the policy names the claim */
export const claimMissing = (path: readonly string[]): TokenFailure =>
  invalid(`the claim "${path.join('.')}" is missing`);
export const claimDiffers = (path: readonly string[]): TokenFailure =>
  invalid(`the claim "${path.join('.')}" is not what the method requires`);
