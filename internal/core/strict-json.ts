import { DEEP, type JsonShape, LARGE, SURROGATE, SYNTAX, scanJson } from './json-scan.ts';

/** JSON with one reading and its measures, or why it has none. */
export type StrictJson =
  | { readonly ok: true; readonly value: unknown; readonly shape: Readonly<JsonShape> }
  | { readonly ok: false; readonly why: string };

/**
 * Most values that are read. Commas and brackets are counted, so that an empty list or object counts twice: a megabyte of
 * them would hold up every other check while it is made.
 */
export const MAX_JSON_VALUES = 20_000;

export const NOT_UTF8 = 'the text is not UTF-8';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON that every reader reads alike (RFC 8259 §4, §6, §8): a repeated member, also one spelt with escapes, nesting
 * over 64 levels, too many values, a number that no double holds, bad UTF-8, an escaped half of a surrogate pair and a
 * byte order mark are refused. `__proto__` is a member like any other. Linear time, and nothing is built of text that is
 * too deep or too large.
 */
export function parseStrictJson(input: Uint8Array | string, maxValues = MAX_JSON_VALUES): StrictJson {
  let text: string;
  try {
    text = typeof input === 'string' ? input : decoder.decode(input);
  } catch {
    return { ok: false, why: NOT_UTF8 };
  }
  try {
    const { why, shape } = scanJson(text, maxValues);
    if (why === DEEP || why === LARGE) return { ok: false, why };
    const value: unknown = JSON.parse(text);
    if (!text.isWellFormed()) return { ok: false, why: SURROGATE };
    return why === undefined ? { ok: true, value, shape } : { ok: false, why };
  } catch {
    return { ok: false, why: SYNTAX };
  }
}
