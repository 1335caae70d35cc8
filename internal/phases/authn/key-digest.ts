import { hash } from 'node:crypto';
import type { ProblemList } from '../../core/problem.ts';
import type { KeyInput, SecretLookup } from './consumers.ts';

/** Shortest plain key that a Secret may hold, in bytes. */
export const MIN_SECRET_BYTES = 16;
const EMPTY_DIGEST = hash('sha256', '', 'hex');

interface DigestContext {
  readonly secrets: SecretLookup;
  readonly consumer: string;
  readonly at: ProblemList;
}

/** The SHA-256 of a key, in hex, as it is given or of what its Secret holds; undefined with a problem for what is no key. */
export function digestOf(input: KeyInput, { secrets, consumer, at }: DigestContext): string | undefined {
  if (input.sha256 !== undefined) {
    if (input.sha256 !== EMPTY_DIGEST) return input.sha256;
    at.at('sha256').reference(
      'Invalid',
      'This is the digest of an empty key: "postern keys new" makes a key and its digest',
    );
    return undefined;
  }
  if (input.secretRef === undefined) return undefined;
  const secret = secrets(input.secretRef, consumer);
  const path = at.at('secretRef');
  if ('reason' in secret) {
    path.reference(secret.reason, secret.message);
    return undefined;
  }
  const key = withoutNewline(secret);
  if (key.length >= MIN_SECRET_BYTES) return hash('sha256', key, 'hex');
  path.reference('Invalid', `The key has ${key.length} bytes: use at least ${MIN_SECRET_BYTES}`);
  return undefined;
}

/** Editors and `echo` end what they write with one newline, LF or CR LF. */
function withoutNewline(secret: Uint8Array): Uint8Array {
  if (secret.at(-1) !== 0x0a) return secret;
  return secret.subarray(0, secret.at(-2) === 0x0d ? -2 : -1);
}
