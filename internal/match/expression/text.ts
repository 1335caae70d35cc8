import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { TOO_LONG } from './arithmetic.ts';
import { MAX_LIST, MAX_TEXT } from './node.ts';
import type { Result, Value } from './value.ts';

// Indexes and lengths count code points. Whatever runs over a text is charged for it before it runs.

const RANGE = new ExpressionError('the index is out of range');
const NOT_STRINGS = new ExpressionError('the list holds something that is not text');

const isAscii = (text: string): boolean => Buffer.byteLength(text) === text.length;

/** Where the nth code point stands in UTF-16 units; undefined when there is none, the end counting as one. */
function unitOf(meter: Meter, text: string, index: bigint): number | undefined {
  if (index < 0n || index > BigInt(text.length)) return undefined;
  const target = Number(index);
  meter.work -= target;
  let unit = 0;
  for (let point = 0; point < target; point += 1) {
    if (unit >= text.length) return undefined;
    unit += widthAt(text, unit);
  }
  return unit;
}

const widthAt = (text: string, unit: number): number => ((text.codePointAt(unit) ?? 0) > 0xffff ? 2 : 1);

/** How many code points stand before a UTF-16 unit. */
function pointOf(meter: Meter, text: string, unit: number): bigint {
  meter.work -= unit;
  let point = 0;
  for (let i = 0; i < unit; i += widthAt(text, i)) point += 1;
  return BigInt(point);
}

/** A text with each of its UTF-16 units turned into another. */
function mapUnits(meter: Meter, text: string, map: (unit: number) => number): string {
  meter.work -= text.length;
  const units = Buffer.from(text, 'utf16le');
  for (let i = 0; i < units.length; i += 2) {
    const low = units[i] ?? 0;
    if (units[i + 1] === 0) units[i] = map(low);
  }
  return units.toString('utf16le');
}

const isLower = (unit: number): boolean => unit >= 0x61 && unit <= 0x7a;
const isUpper = (unit: number): boolean => unit >= 0x41 && unit <= 0x5a;

const charge = (meter: Meter, text: string): void => {
  meter.work -= text.length >> 3;
};

/** A search can be as slow as the product of both lengths, but for the library's shortcuts. */
function chargeSearch(meter: Meter, text: string, part: string): boolean {
  meter.work -= (text.length >> 3) + Math.floor((text.length * part.length) / 64);
  return meter.work >= 0;
}

export const contains = (meter: Meter, text: string, part: string): Result =>
  chargeSearch(meter, text, part) && text.includes(part);

export function startsWith(meter: Meter, text: string, part: string): Result {
  meter.work -= part.length >> 6;
  return text.startsWith(part);
}

export function endsWith(meter: Meter, text: string, part: string): Result {
  meter.work -= part.length >> 6;
  return text.endsWith(part);
}

export function substring(meter: Meter, text: string, start: bigint, end?: bigint): Result {
  const from = unitOf(meter, text, start);
  const to = end === undefined ? text.length : unitOf(meter, text, end);
  return from === undefined || to === undefined || from > to ? RANGE : text.slice(from, to);
}

export function indexOf(meter: Meter, text: string, part: string, offset = 0n): Result {
  const from = unitOf(meter, text, offset);
  if (from === undefined) return RANGE;
  if (!chargeSearch(meter, text, part)) return RANGE;
  const found = text.indexOf(part, from);
  return found === -1 ? -1n : pointOf(meter, text, found);
}

export function lastIndexOf(meter: Meter, text: string, part: string, offset?: bigint): Result {
  const from = offset === undefined ? text.length : unitOf(meter, text, offset);
  if (from === undefined) return RANGE;
  // Searching from the end has no shortcuts.
  meter.work -= Math.ceil((text.length * (part.length + 1)) / 4);
  if (meter.work < 0) return RANGE;
  const found = text.lastIndexOf(part, from);
  return found === -1 ? -1n : pointOf(meter, text, found);
}

export function charAt(meter: Meter, text: string, index: bigint): Result {
  const unit = unitOf(meter, text, index);
  return unit === undefined ? RANGE : text.slice(unit, unit + (unit < text.length ? widthAt(text, unit) : 0));
}

export function split(meter: Meter, text: string, separator: string, limit = -1n): Result {
  if (limit === 0n) return [];
  const parts = partsOf(meter, text, separator);
  if (parts === undefined) return TOO_LONG;
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const most = Number(limit);
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

/** The pieces between separators, its characters for none; undefined when they are too many. */
function partsOf(meter: Meter, text: string, separator: string): readonly string[] | undefined {
  if (!chargeSearch(meter, text, separator)) return undefined;
  if (separator === '' && text.length > 2 * MAX_LIST) return undefined;
  const parts = separator === '' ? Array.from(text) : text.split(separator, MAX_LIST + 1);
  meter.work -= 3 * parts.length;
  return parts.length > MAX_LIST ? undefined : parts;
}

export function replace(meter: Meter, text: string, ...[from, to, limit = -1n]: [string, string, bigint?]): Result {
  const found = partsOf(meter, text, from);
  if (found === undefined) return TOO_LONG;
  const parts = from === '' ? ['', ...found, ''] : found;
  const most = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1);
  const length = text.length + most * (to.length - from.length);
  meter.work -= 10 * parts.length + (length >> 3);
  if (length > MAX_TEXT || meter.work < 0) return TOO_LONG;
  const rest = parts.slice(most + 1).reduce((done, part) => done + from + part, '');
  return parts.slice(0, most + 1).join(to) + rest;
}

export function joinTexts(meter: Meter, list: readonly Value[], separator = ''): Result {
  let length = 0;
  for (const item of list) {
    if (typeof item !== 'string') return NOT_STRINGS;
    length += item.length + separator.length;
  }
  meter.work -= list.length + (length >> 3);
  return length > MAX_TEXT || meter.work < 0 ? TOO_LONG : list.join(separator);
}

export function lowerAscii(meter: Meter, text: string): Result {
  charge(meter, text);
  return isAscii(text) ? text.toLowerCase() : mapUnits(meter, text, (unit) => (isUpper(unit) ? unit + 32 : unit));
}

export function upperAscii(meter: Meter, text: string): Result {
  charge(meter, text);
  return isAscii(text) ? text.toUpperCase() : mapUnits(meter, text, (unit) => (isLower(unit) ? unit - 32 : unit));
}

/** White space as Unicode has it; U+3000 is the last. */
const SPACES: ReadonlySet<number> = new Set(
  Array.from({ length: 0x3001 }, (_, unit) => unit).filter((unit) =>
    /^\p{White_Space}$/u.test(String.fromCharCode(unit)),
  ),
);

/** Looks at each end on its own: a pattern for both would be quadratic in a run of spaces inside. */
export function trim(meter: Meter, text: string): Result {
  let start = 0;
  let end = text.length;
  while (start < end && SPACES.has(text.charCodeAt(start))) start += 1;
  while (end > start && SPACES.has(text.charCodeAt(end - 1))) end -= 1;
  meter.work -= start + text.length - end;
  return text.slice(start, end);
}
