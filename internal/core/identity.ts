import { hash } from 'node:crypto';

/** Who the credential proves. One frozen object per consumer or verified token, shared by checks. */
export interface Identity {
  readonly kind: 'apiKey' | 'jwt' | 'anonymous' | 'unauthenticated';
  /** API key: `postern.dev/<namespace>`; JWT: `iss`; null for anonymous. */
  readonly issuer: string | null;
  readonly subject: string | null;
  /** 22 characters that are unique over kind, issuer and subject; null for anonymous. */
  readonly id: string | null;
  readonly groups: readonly string[];
  readonly scopes: readonly string[];
  readonly claims: Readonly<Record<string, unknown>> | null;
  readonly consumer: string | null;
  /** Epoch milliseconds of `auth_time`; null when the token does not say. */
  readonly authTimeMs: number | null;
  /** Name of the authentication method that proved it; null for anonymous. */
  readonly method: string | null;
}

const nobody = (kind: 'anonymous' | 'unauthenticated'): Identity =>
  Object.freeze({
    kind,
    issuer: null,
    subject: null,
    id: null,
    groups: Object.freeze([]),
    scopes: Object.freeze([]),
    claims: null,
    consumer: null,
    authTimeMs: null,
    method: null,
  });

export const ANONYMOUS = nobody('anonymous');
/** Whoever has proved nothing: before authentication, where it refused, and after that in Audit. */
export const UNAUTHENTICATED = nobody('unauthenticated');

/**
 * base64url of the first 16 bytes of SHA-256 over kind, issuer and subject, each as its UTF-8 byte length (uint32,
 * big-endian) and its bytes. A storage format: counters are keyed by it.
 */
export function identityId(kind: string, issuer: string, subject: string): string {
  const parts = [kind, issuer, subject].map((part) => Buffer.from(part, 'utf8'));
  const bytes = Buffer.concat(
    parts.flatMap((part) => {
      const length = Buffer.alloc(4);
      length.writeUInt32BE(part.length);
      return [length, part];
    }),
  );
  return hash('sha256', bytes, 'buffer').subarray(0, 16).toString('base64url');
}
