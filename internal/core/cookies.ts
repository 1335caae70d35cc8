import type { HeaderFields } from './attributes.ts';
import { trimBlanks } from './blanks.ts';

/** Most pieces of a Cookie header, empty ones counted; browsers keep some 180 cookies of one site. */
export const MAX_COOKIES = 512;

/** Cookies by name; null where it is not known which of several values counts. */
export type Cookies = ReadonlyMap<string, string | null>;

const NONE: Cookies = new Map();

/**
 * Cookies by RFC 6265 §4.2, values as they stand, quotes included. Envoy joins two Cookie lines with a comma in the
 * joined form; there a comma inside a value may be the end of it.
 *
 * @returns undefined when there are too many
 */
export function parseCookies(headers: HeaderFields): Cookies | undefined {
  const lines = headers.get('cookie');
  if (lines === undefined) return NONE;
  const cookies = new Map<string, string | null>();
  let left = MAX_COOKIES;
  for (const line of lines) {
    for (const segment of line.split(';', left + 1)) {
      const parts = headers.isJoined ? segment.split(',', left + 1) : [segment];
      left -= parts.length;
      if (left < 0) return undefined;
      addParts(cookies, parts);
    }
  }
  return cookies;
}

/** Where one of several parts is no pair, it may be the rest of any other. */
function addParts(cookies: Map<string, string | null>, parts: readonly string[]): void {
  const areWhole = parts.length === 1 || parts.every((part) => part.includes('='));
  for (const part of parts) {
    const equals = part.indexOf('=');
    if (equals === -1) continue;
    const name = trimBlanks(part.slice(0, equals));
    cookies.set(name, areWhole && !cookies.has(name) ? trimBlanks(part.slice(equals + 1)) : null);
  }
}
