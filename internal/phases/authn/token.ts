import { parseStrictJson } from '../../core/strict-json.ts';

/** Longest token that is looked at, in characters: nothing longer is decoded or hashed. */
export const MAX_TOKEN_LENGTH = 16_384;

/** A compact JWS taken apart, nothing in it verified. */
export interface Token {
  readonly text: string;
  readonly header: Readonly<Record<string, unknown>>;
  readonly payload: Readonly<Record<string, unknown>>;
}

const COMPACT = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Whether a text looks like a token at all: three parts and not too long. A JWE has five and is none. */
export function looksLikeToken(text: string): boolean {
  if (text.length > MAX_TOKEN_LENGTH) return false;
  const first = text.indexOf('.');
  const second = first === -1 ? -1 : text.indexOf('.', first + 1);
  return second !== -1 && text.indexOf('.', second + 1) === -1;
}

/**
 * Takes a token apart: three parts of canonical base64url (so that one token has one spelling), header and payload
 * JSON objects without repeated members. `__proto__` in them is a member like any other.
 *
 * @see RFC 7515 §3.1, §10.12
 */
export function parseToken(text: string): Token | undefined {
  if (text.length > MAX_TOKEN_LENGTH || !COMPACT.test(text)) return undefined;
  const [first = '', second = '', third = ''] = text.split('.');
  const header = objectOf(first);
  const payload = objectOf(second);
  if (header === undefined || payload === undefined || !isCanonical(third)) return undefined;
  return { text, header, payload };
}

const isCanonical = (part: string): boolean => Buffer.from(part, 'base64url').toString('base64url') === part;

function objectOf(part: string): Readonly<Record<string, unknown>> | undefined {
  const bytes = Buffer.from(part, 'base64url');
  if (bytes.toString('base64url') !== part) return undefined;
  const parsed = parseStrictJson(bytes);
  if (!parsed.ok || typeof parsed.value !== 'object' || parsed.value === null) return undefined;
  return Array.isArray(parsed.value) ? undefined : (parsed.value as Record<string, unknown>);
}
