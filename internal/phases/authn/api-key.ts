import type { Carrier, Evaluation } from '../../core/evaluation.ts';
import type { Identity } from '../../core/identity.ts';
import type { Request } from '../../core/request.ts';
import type { VerificationFailure } from './refusals.ts';

/** Longest API key that is looked at, in characters. */
export const MAX_KEY_LENGTH = 4096;

/**
 * Whether a text can be the key that was sent. Bytes that are not UTF-8 arrive as lone surrogates or, where Envoy joins
 * header lines, folded to "!": different keys would become equal.
 */
export function isKeyText(text: string, carrier: Carrier, request: Request): boolean {
  if (text.length > MAX_KEY_LENGTH || !text.isWellFormed()) return false;
  const isFolded = request.headers.isJoined && carrier.kind !== 'query';
  return !(isFolded && text.includes('!'));
}

/** The consumer of the policy's namespace that holds a key now. */
export function verifyKey(key: string, method: string, evaluation: Evaluation): Identity | VerificationFailure {
  const found = evaluation.namespace.consumers.find(key, method, evaluation.wallMs);
  if (typeof found !== 'string') return found;
  return found === 'expired' ? 'credential_expired' : 'credential_unknown';
}
