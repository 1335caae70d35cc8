import { RE2JS } from 're2js';
import { ExpressionError } from '../../core/vocabulary.ts';
import { noOverload, sizeOf, toDuration, toInt, toUint } from './arithmetic.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  listOf,
  STRING,
  type StaticType,
  TIMESTAMP,
  UINT,
} from './static-type.ts';
import { formatDuration, formatTimestamp, parseDuration, parseTimestamp } from './time.ts';
import {
  type Duration,
  type Result,
  Timestamp,
  type TypeName,
  TypeValue,
  typeNameOf,
  Uint,
  type Value,
} from './value.ts';

/** One overload: the kinds it takes (a member's receiver first), what it gives, and how. */
export interface Overload {
  readonly takes: readonly (TypeName | 'dyn')[];
  readonly gives: StaticType;
  readonly run: (...values: never[]) => Result;
}

export interface FunctionRow {
  readonly member: readonly Overload[];
  readonly global: readonly Overload[];
}

const MAX_TEXT = 1_048_576;
const RANGE = new ExpressionError('the index is out of range');
const LONG = new ExpressionError('the text grows too long');
const NOT_INT = new ExpressionError('the value is not a 64-bit integer');
const NOT_DOUBLE = new ExpressionError('the text is not a number');
const NOT_BOOL = new ExpressionError('the text is not a bool');
const NOT_UTF8 = new ExpressionError('the bytes are not UTF-8');
const NOT_STRINGS = new ExpressionError('the list holds something that is not text');

const overload = (takes: Overload['takes'], gives: StaticType, run: Overload['run']): Overload => ({
  takes,
  gives,
  run,
});
const row = (rows: Partial<FunctionRow>): FunctionRow => ({ member: rows.member ?? [], global: rows.global ?? [] });

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const points = (text: string): string[] => Array.from(text);
const at = (index: bigint, length: number): number | undefined =>
  index < 0n || index > BigInt(length) ? undefined : Number(index);

function substring(text: string, start: bigint, end?: bigint): Result {
  const characters = points(text);
  const from = at(start, characters.length);
  const to = end === undefined ? characters.length : at(end, characters.length);
  if (from === undefined || to === undefined || from > to) return RANGE;
  return characters.slice(from, to).join('');
}

function indexOf(text: string, part: string, offset = 0n): Result {
  const characters = points(text);
  const from = at(offset, characters.length);
  if (from === undefined) return RANGE;
  const skipped = characters.slice(0, from).join('').length;
  const found = text.indexOf(part, skipped);
  return BigInt(found === -1 ? -1 : points(text.slice(0, found)).length);
}

function lastIndexOf(text: string, part: string, offset?: bigint): Result {
  const characters = points(text);
  const from = offset === undefined ? characters.length : at(offset, characters.length);
  if (from === undefined) return RANGE;
  const found = text.lastIndexOf(part, characters.slice(0, from).join('').length);
  return BigInt(found === -1 ? -1 : points(text.slice(0, found)).length);
}

function charAt(text: string, index: bigint): Result {
  const characters = points(text);
  const position = at(index, characters.length);
  return position === undefined ? RANGE : (characters[position] ?? '');
}

function split(text: string, separator: string, limit = -1n): Result {
  if (limit === 0n) return [];
  const parts = separator === '' ? points(text) : text.split(separator);
  if (limit < 0n || BigInt(parts.length) <= limit) return parts;
  const most = Number(limit);
  return [...parts.slice(0, most - 1), parts.slice(most - 1).join(separator)];
}

function replace(text: string, from: string, to: string, limit = -1n): Result {
  const parts = from === '' ? ['', ...points(text), ''] : text.split(from);
  const most = limit < 0n ? parts.length - 1 : Math.min(Number(limit), parts.length - 1);
  if (text.length + most * to.length > MAX_TEXT) return LONG;
  return parts.slice(1).reduce((done, part, i) => done + (i < most ? to : from) + part, parts[0] ?? '');
}

function joinTexts(list: readonly Value[], separator = ''): Result {
  if (!list.every((item) => typeof item === 'string')) return NOT_STRINGS;
  const length = list.reduce<number>((sum, item) => sum + String(item).length + separator.length, 0);
  return length > MAX_TEXT ? LONG : list.join(separator);
}

const lower = (text: string): string => text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
const upper = (text: string): string => text.replace(/[a-z]+/g, (letters) => letters.toUpperCase());
const WHITE_SPACE = /^\p{White_Space}+|\p{White_Space}+$/gu;

function doubleToInt(value: number): Result {
  const whole = Math.trunc(value);
  return Number.isFinite(whole) && whole > -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : NOT_INT;
}

function textToInt(text: string): Result {
  return /^[+-]?\d{1,20}$/.test(text) ? toInt(BigInt(text.replace(/^\+/, ''))) : NOT_INT;
}

function textToUint(text: string): Result {
  return /^\d{1,20}$/.test(text) ? toUint(BigInt(text)) : NOT_INT;
}

function doubleToUint(value: number): Result {
  const whole = Math.trunc(value);
  return Number.isFinite(whole) && whole >= 0 && whole < 2 ** 64 ? new Uint(BigInt(whole)) : NOT_INT;
}

function textToDouble(text: string): Result {
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NOT_DOUBLE;
}

/** As Go's `%g` writes doubles, which the conformance suite expects: `1e+06`, `-Inf`, `NaN`. */
function doubleToText(value: number): Result {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value < 0 ? '-Inf' : '+Inf';
  const [mantissa = '', exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  if (power >= -4 && power < 21) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

const TRUE_TEXTS = ['true', 'True', 'TRUE', 't', '1'];
const FALSE_TEXTS = ['false', 'False', 'FALSE', 'f', '0'];

function textToBool(text: string): Result {
  if (TRUE_TEXTS.includes(text)) return true;
  return FALSE_TEXTS.includes(text) ? false : NOT_BOOL;
}

function bytesToText(bytes: Uint8Array): Result {
  try {
    return decoder.decode(bytes);
  } catch {
    return NOT_UTF8;
  }
}

const sizeValue = (value: Value): Result => {
  const size = sizeOf(value);
  return typeof size === 'number' ? BigInt(size) : size;
};
const SIZE: readonly Overload[] = (['string', 'bytes', 'list', 'map'] as const).map((name) =>
  overload([name], INT, sizeValue),
);

const nanoseconds = 1_000_000_000n;
const TYPE_NAMES: Readonly<Partial<Record<TypeName, string>>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
};
export const typeValueOf = (value: Value): TypeValue =>
  new TypeValue(TYPE_NAMES[typeNameOf(value)] ?? typeNameOf(value));

/** Every function that expressions may call, besides operators, macros, `matches` and the fields of times. */
export const FUNCTIONS: ReadonlyMap<string, FunctionRow> = new Map<string, FunctionRow>([
  ['size', row({ member: SIZE, global: SIZE })],
  ['contains', row({ member: [overload(['string', 'string'], BOOL, (a: string, b: string) => a.includes(b))] })],
  ['startsWith', row({ member: [overload(['string', 'string'], BOOL, (a: string, b: string) => a.startsWith(b))] })],
  ['endsWith', row({ member: [overload(['string', 'string'], BOOL, (a: string, b: string) => a.endsWith(b))] })],
  ['lowerAscii', row({ member: [overload(['string'], STRING, lower)] })],
  ['upperAscii', row({ member: [overload(['string'], STRING, upper)] })],
  ['trim', row({ member: [overload(['string'], STRING, (a: string) => a.replace(WHITE_SPACE, ''))] })],
  ['charAt', row({ member: [overload(['string', 'int'], STRING, charAt)] })],
  [
    'indexOf',
    row({
      member: [overload(['string', 'string'], INT, indexOf), overload(['string', 'string', 'int'], INT, indexOf)],
    }),
  ],
  [
    'lastIndexOf',
    row({
      member: [
        overload(['string', 'string'], INT, lastIndexOf),
        overload(['string', 'string', 'int'], INT, lastIndexOf),
      ],
    }),
  ],
  [
    'substring',
    row({
      member: [overload(['string', 'int'], STRING, substring), overload(['string', 'int', 'int'], STRING, substring)],
    }),
  ],
  [
    'split',
    row({
      member: [
        overload(['string', 'string'], listOf(STRING), split),
        overload(['string', 'string', 'int'], listOf(STRING), split),
      ],
    }),
  ],
  [
    'replace',
    row({
      member: [
        overload(['string', 'string', 'string'], STRING, replace),
        overload(['string', 'string', 'string', 'int'], STRING, replace),
      ],
    }),
  ],
  ['join', row({ member: [overload(['list'], STRING, joinTexts), overload(['list', 'string'], STRING, joinTexts)] })],
  [
    'int',
    row({
      global: [
        overload(['int'], INT, (a: bigint) => a),
        overload(['uint'], INT, (a: Uint) => toInt(a.value)),
        overload(['double'], INT, doubleToInt),
        overload(['string'], INT, textToInt),
        overload(['timestamp'], INT, (a: Timestamp) => a.ns / nanoseconds),
        overload(['duration'], INT, (a: Duration) => a.ns / nanoseconds),
      ],
    }),
  ],
  [
    'uint',
    row({
      global: [
        overload(['uint'], UINT, (a: Uint) => a),
        overload(['int'], UINT, (a: bigint) => toUint(a)),
        overload(['double'], UINT, doubleToUint),
        overload(['string'], UINT, textToUint),
      ],
    }),
  ],
  [
    'double',
    row({
      global: [
        overload(['double'], DOUBLE, (a: number) => a),
        overload(['int'], DOUBLE, (a: bigint) => Number(a)),
        overload(['uint'], DOUBLE, (a: Uint) => Number(a.value)),
        overload(['string'], DOUBLE, textToDouble),
      ],
    }),
  ],
  [
    'string',
    row({
      global: [
        overload(['string'], STRING, (a: string) => a),
        overload(['int'], STRING, (a: bigint) => String(a)),
        overload(['uint'], STRING, (a: Uint) => String(a.value)),
        overload(['double'], STRING, doubleToText),
        overload(['bool'], STRING, (a: boolean) => String(a)),
        overload(['bytes'], STRING, bytesToText),
        overload(['timestamp'], STRING, (a: Timestamp) => formatTimestamp(a)),
        overload(['duration'], STRING, (a: Duration) => formatDuration(a.ns)),
      ],
    }),
  ],
  ['bool', row({ global: [overload(['bool'], BOOL, (a: boolean) => a), overload(['string'], BOOL, textToBool)] })],
  [
    'bytes',
    row({
      global: [
        overload(['bytes'], BYTES, (a: Uint8Array) => a),
        overload(['string'], BYTES, (a: string) => Buffer.from(a, 'utf8')),
      ],
    }),
  ],
  [
    'timestamp',
    row({
      global: [
        overload(['timestamp'], TIMESTAMP, (a: Timestamp) => a),
        overload(['string'], TIMESTAMP, parseTimestamp),
        overload(['int'], TIMESTAMP, (a: bigint) => new Timestamp(a * nanoseconds)),
      ],
    }),
  ],
  [
    'duration',
    row({
      global: [
        overload(['duration'], DURATION, (a: Duration) => a),
        overload(['string'], DURATION, parseDuration),
        overload(['int'], DURATION, (a: bigint) => toDuration(a * nanoseconds)),
      ],
    }),
  ],
  ['dyn', row({ global: [overload(['dyn'], DYN, (a: Value) => a)] })],
  ['type', row({ global: [overload(['dyn'], DYN, typeValueOf)] })],
]);

/** A pattern in RE2's language, which is linear in the text whatever the pattern (CEL `matches` searches anywhere). */
export function compilePattern(pattern: string): ((text: Value) => Result) | string {
  try {
    const compiled = RE2JS.compile(pattern);
    return (text) => (typeof text === 'string' ? compiled.matcher(text).find() : noOverload('matches', text));
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
