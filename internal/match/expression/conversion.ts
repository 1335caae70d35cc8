import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { toInt, toUint } from './arithmetic.ts';
import { type Result, TypeValue, typeNameOf, Uint, type Value } from './value.ts';

const NOT_INT = new ExpressionError('the value is not a 64-bit integer');
const NOT_DOUBLE = new ExpressionError('the text is not a number');
const NOT_BOOL = new ExpressionError('the text is not a bool');
const NOT_UTF8 = new ExpressionError('the bytes are not UTF-8');
const MAX_NUMBER_LENGTH = 400;
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

export function doubleToInt(value: number): Result {
  const whole = Math.trunc(value);
  return whole > -(2 ** 63) && whole < 2 ** 63 ? BigInt(whole) : NOT_INT;
}

export function doubleToUint(value: number): Result {
  const whole = Math.trunc(value);
  return whole >= 0 && whole < 2 ** 64 ? new Uint(BigInt(whole)) : NOT_INT;
}

export function textToInt(text: string): Result {
  return /^[+-]?\d{1,20}$/.test(text) ? toInt(BigInt(text.replace(/^\+/, ''))) : NOT_INT;
}

export function textToUint(text: string): Result {
  return /^\d{1,20}$/.test(text) ? toUint(BigInt(text)) : NOT_INT;
}

export function textToDouble(meter: Meter, text: string): Result {
  if (text.length > MAX_NUMBER_LENGTH) return NOT_DOUBLE;
  meter.work -= text.length >> 1;
  if (/^[+-]?(?:inf|infinity)$/i.test(text)) return text.startsWith('-') ? -Infinity : Infinity;
  if (/^nan$/i.test(text)) return Number.NaN;
  return /^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[+-]?\d+)?$/i.test(text) ? Number(text) : NOT_DOUBLE;
}

/** As Go's `%g` writes doubles, which the conformance suite expects: `1e+06`, `-Inf`, `NaN`. */
export function doubleToText(value: number): Result {
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'NaN' : value < 0 ? '-Inf' : '+Inf';
  const [mantissa = '', exponent] = value.toExponential().split('e');
  const power = Number(exponent);
  if (Object.is(value, -0)) return '-0';
  if (power >= -4 && power < 21) return String(value);
  return `${mantissa}e${power < 0 ? '-' : '+'}${String(Math.abs(power)).padStart(2, '0')}`;
}

const TRUE_TEXTS = ['true', 'True', 'TRUE', 't', '1'];
const FALSE_TEXTS = ['false', 'False', 'FALSE', 'f', '0'];

export function textToBool(text: string): Result {
  if (TRUE_TEXTS.includes(text)) return true;
  return FALSE_TEXTS.includes(text) ? false : NOT_BOOL;
}

export function textToBytes(meter: Meter, text: string): Result {
  meter.work -= text.length >> 1;
  return Buffer.from(text, 'utf8');
}

export function bytesToText(meter: Meter, bytes: Uint8Array): Result {
  meter.work -= bytes.length >> 2;
  try {
    return decoder.decode(bytes);
  } catch {
    return NOT_UTF8;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  null: 'null_type',
  timestamp: 'google.protobuf.Timestamp',
  duration: 'google.protobuf.Duration',
};
export const typeValueOf = (value: Value): TypeValue =>
  new TypeValue(TYPE_NAMES[typeNameOf(value)] ?? typeNameOf(value));

/** Names that stand for types, so that `type(x) == int` can be asked. */
export const TYPE_WORDS: ReadonlySet<string> = new Set([
  'bool',
  'bytes',
  'double',
  'google.protobuf.Duration',
  'google.protobuf.Timestamp',
  'int',
  'list',
  'map',
  'null_type',
  'string',
  'type',
  'uint',
]);
