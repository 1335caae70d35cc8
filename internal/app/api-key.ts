import { hash, randomBytes } from 'node:crypto';

/** A new API key of 256 random bits, and its digest. */
export function newApiKey(prefix: string): { readonly key: string; readonly sha256: string } {
  const key = `${prefix}_${randomBytes(32).toString('base64url')}`;
  return { key, sha256: hash('sha256', key, 'hex') };
}
