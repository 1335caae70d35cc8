/** JSON with one reading, or why it has none. */
export type StrictJson = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly why: string };

/** Deepest nesting that is read: a recursive walk of ours never goes further. */
export const MAX_JSON_DEPTH = 64;

/**
 * Most values that are read. Commas and brackets are counted, so that an empty list or object counts twice: a megabyte of
 * them would hold up every other check while it is made.
 */
export const MAX_JSON_VALUES = 20_000;

const DEEP = 'the JSON is nested too deeply';
const LARGE = 'the JSON has too many values';
const SYNTAX = 'the text is not JSON';
export const REPEATED_MEMBER = 'the JSON repeats a member';
const UTF8 = 'the text is not UTF-8';
const SURROGATE = 'the JSON escapes half a character';

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads JSON that every reader reads alike (RFC 8259 §4, §8): a repeated member, also one spelt with escapes, nesting
 * over 64 levels, too many values, bad UTF-8, an escaped half of a surrogate pair and a byte order mark are
 * refused. `__proto__` is a member like any other. Linear time, and nothing is built of text that is too deep or too large.
 */
export function parseStrictJson(input: Uint8Array | string, maxValues = MAX_JSON_VALUES): StrictJson {
  let text: string;
  try {
    text = typeof input === 'string' ? input : decoder.decode(input);
  } catch {
    return { ok: false, why: UTF8 };
  }
  let why: string | undefined;
  let value: unknown;
  try {
    why = scan(text, maxValues);
    if (why === DEEP || why === LARGE) return { ok: false, why };
    value = JSON.parse(text);
  } catch {
    return { ok: false, why: SYNTAX };
  }
  if (!text.isWellFormed()) why = SURROGATE;
  return why === undefined ? { ok: true, value } : { ok: false, why };
}

/**
 * Walks text that may not even be JSON, looking only at depth, number of values and member names. It goes on behind a
 * name that is wrong: what follows can still be too deep or too large to be parsed.
 *
 * @throws {SyntaxError} where a string does not end, or holds an escape that is none
 */
function scan(text: string, maxValues: number): string | undefined {
  // One set of names for each open object, null for each open array.
  const open: (Set<string> | null)[] = [];
  const mayHoldHalves = text.includes('\\u');
  let why: string | undefined;
  let values = 0;
  let expectsName = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (mayHoldHalves && !stringAt(text, i, end).isWellFormed()) why ??= SURROGATE;
      const names = expectsName ? open.at(-1) : undefined;
      if (names) {
        const name = stringAt(text, i, end);
        if (names.has(name)) why ??= REPEATED_MEMBER;
        names.add(name);
        expectsName = false;
      }
      i = end;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (open.length >= MAX_JSON_DEPTH) return DEEP;
      values += 1;
      if (values > maxValues) return LARGE;
      open.push(code === OPEN_OBJECT ? new Set() : null);
      expectsName = code === OPEN_OBJECT;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      open.pop();
      expectsName = false;
    } else if (code === COMMA) {
      values += 1;
      if (values > maxValues) return LARGE;
      expectsName = open.at(-1) instanceof Set;
    }
  }
  return why;
}

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;
const OPEN_ARRAY = 0x5b;
const CLOSE_ARRAY = 0x5d;
const COMMA = 0x2c;

function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1);
  while (end !== -1 && isEscaped(text, end)) end = text.indexOf('"', end + 1);
  if (end === -1) throw new SyntaxError(SYNTAX);
  return end;
}

/** An odd number of backslashes before a quote makes it part of the string. */
function isEscaped(text: string, quote: number): boolean {
  let first = quote;
  while (text.charCodeAt(first - 1) === BACKSLASH) first -= 1;
  return (quote - first) % 2 === 1;
}

function stringAt(text: string, start: number, end: number): string {
  const inner = text.slice(start + 1, end);
  return inner.includes('\\') ? (JSON.parse(text.slice(start, end + 1)) as string) : inner;
}
