/** How large and deep JSON is: what limits are held against, measured while it is read. */
export interface JsonShape {
  /** Objects and lists in each other; 0 for one value alone. */
  depth: number;
  /** Commas and brackets: what `MAX_JSON_VALUES` counts. */
  values: number;
  /** Of the object that has most. */
  members: number;
  /** Of the list that has most. */
  items: number;
  /** UTF-16 units of the longest string that is no name, its escapes read. */
  longestString: number;
  /** The same of the longest name of a member. */
  longestName: number;
  /** Largest magnitude of a number. */
  largestNumber: number;
}

/** Deepest nesting that is read: a recursive walk of ours never goes further. */
export const MAX_JSON_DEPTH = 64;

export const DEEP = 'the JSON is nested too deeply';
export const LARGE = 'the JSON has too many values';
export const SYNTAX = 'the text is not JSON';
export const REPEATED_MEMBER = 'the JSON repeats a member';
export const SURROGATE = 'the JSON escapes half a character';
export const HUGE = 'the JSON has a number that is too large';

export interface JsonScan {
  /** Why the text has no one reading; undefined where it has. */
  readonly why: string | undefined;
  readonly shape: JsonShape;
}

/** An object or list that is open: names so far, null for a list; and how many commas. */
interface Open {
  readonly names: Set<string> | null;
  commas: number;
}

/**
 * Walks text that may not even be JSON, once, looking at brackets, commas, names, strings and numbers. It goes on behind
 * a name that is wrong: what follows can still be too deep or too large to be parsed.
 *
 * @throws {SyntaxError} where a string does not end, or holds an escape that is none
 */
export function scanJson(text: string, maxValues: number): JsonScan {
  const shape: JsonShape = {
    depth: 0,
    values: 0,
    members: 0,
    items: 0,
    longestString: 0,
    longestName: 0,
    largestNumber: 0,
  };
  const open: Open[] = [];
  const mayHoldHalves = text.includes('\\u');
  let why: string | undefined;
  let expectsName = false;
  for (let i = 0; i < text.length; i += 1) {
    const code = text.charCodeAt(i);
    if (code === QUOTE) {
      const end = endOfString(text, i);
      if (mayHoldHalves && !stringAt(text, i, end).isWellFormed()) why ??= SURROGATE;
      const names = expectsName ? open.at(-1)?.names : undefined;
      if (names) {
        const name = stringAt(text, i, end);
        if (names.has(name)) why ??= REPEATED_MEMBER;
        names.add(name);
        if (name.length > shape.longestName) shape.longestName = name.length;
        expectsName = false;
      } else if (end - i - 1 > shape.longestString) {
        // Escapes only ever make a string look longer than it is.
        shape.longestString = Math.max(shape.longestString, stringAt(text, i, end).length);
      }
      i = end;
    } else if (code === OPEN_OBJECT || code === OPEN_ARRAY) {
      if (open.length >= MAX_JSON_DEPTH) return { why: DEEP, shape };
      shape.values += 1;
      if (shape.values > maxValues) return { why: LARGE, shape };
      open.push({ names: code === OPEN_OBJECT ? new Set() : null, commas: 0 });
      if (open.length > shape.depth) shape.depth = open.length;
      expectsName = code === OPEN_OBJECT;
    } else if (code === CLOSE_OBJECT || code === CLOSE_ARRAY) {
      const closed = open.pop();
      if (closed !== undefined) measure(shape, closed);
      expectsName = false;
    } else if (code === COMMA) {
      shape.values += 1;
      if (shape.values > maxValues) return { why: LARGE, shape };
      const inner = open.at(-1);
      if (inner !== undefined) inner.commas += 1;
      expectsName = inner?.names instanceof Set;
    } else if (code === MINUS || (code >= ZERO && code <= NINE)) {
      const end = endOfNumber(text, i);
      if (!isShortInteger(text, i, end)) {
        const magnitude = Math.abs(Number(text.slice(i, end)));
        if (magnitude === Number.POSITIVE_INFINITY) why ??= HUGE;
        if (magnitude > shape.largestNumber) shape.largestNumber = magnitude;
      }
      i = end - 1;
    }
  }
  return { why, shape };
}

/** Empty ones count as one: no limit is below that. */
function measure(shape: JsonShape, { names, commas }: Open): void {
  if (names === null) shape.items = Math.max(shape.items, commas + 1);
  else shape.members = Math.max(shape.members, commas + 1);
}

const QUOTE = 0x22;
const COMMA = 0x2c;
const MINUS = 0x2d;
const ZERO = 0x30;
const NINE = 0x39;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

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

/** Behind the last character that can be part of a number; whether it is one is the parser's to say. */
function endOfNumber(text: string, start: number): number {
  let end = start + 1;
  while (end < text.length && isNumberCode(text.charCodeAt(end))) end += 1;
  return end;
}

const isNumberCode = (code: number): boolean =>
  (code >= ZERO && code <= NINE) || code === MINUS || code === 0x2b || code === 0x2e || (code | 0x20) === 0x65;

/** Digits alone, and too few of them to be beyond what a double holds exactly. */
function isShortInteger(text: string, start: number, end: number): boolean {
  if (end - start > 15) return false;
  for (let i = start + 1; i < end; i += 1) if ((text.charCodeAt(i) | 0x20) === 0x65) return false;
  return true;
}
