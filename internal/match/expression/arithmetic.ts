import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { MAX_LIST, MAX_TEXT } from './node.ts';
import { Duration, isError, isList, MapValue, noOverload, type Result, Timestamp, Uint, type Value } from './value.ts';

const MIN_INT = -(2n ** 63n);
const MAX_INT = 2n ** 63n - 1n;
const MAX_UINT = 2n ** 64n - 1n;
/** 0001-01-01T00:00:00Z and 9999-12-31T23:59:59.999999999Z. */
const MIN_TIME = -62_135_596_800_000_000_000n;
const MAX_TIME = 253_402_300_799_999_999_999n;

const OVERFLOW = new ExpressionError('integer overflow');
const BY_ZERO = new ExpressionError('division by zero');
const TIME_RANGE = new ExpressionError('the time is out of range');
export const TOO_LONG = new ExpressionError('the text or list grows too long');

export const toInt = (value: bigint): Result => (value < MIN_INT || value > MAX_INT ? OVERFLOW : value);
export const toUint = (value: bigint): Result => (value < 0n || value > MAX_UINT ? OVERFLOW : new Uint(value));
export const toTimestamp = (ns: bigint): Result => (ns < MIN_TIME || ns > MAX_TIME ? TIME_RANGE : new Timestamp(ns));
export const toDuration = (ns: bigint): Result => (ns < MIN_INT || ns > MAX_INT ? TIME_RANGE : new Duration(ns));

export type Operator = '_+_' | '_-_' | '_*_' | '_/_' | '_%_';

/** Arithmetic of CEL: no conversion between numeric types, overflow and division by zero are errors. */
export function arithmetic(operator: Operator, [a, b]: readonly [Value, Value], meter: Meter): Result {
  if (typeof a === 'bigint' && typeof b === 'bigint') return integers(operator, [a, b], toInt);
  if (a instanceof Uint && b instanceof Uint) return integers(operator, [a.value, b.value], toUint);
  if (typeof a === 'number' && typeof b === 'number') return doubles(operator, a, b);
  if (operator === '_+_') return sum(a, b, meter);
  return operator === '_-_' ? difference(a, b) : noOverload(operator, a, b);
}

function integers(operator: Operator, [a, b]: readonly [bigint, bigint], checked: (value: bigint) => Result): Result {
  switch (operator) {
    case '_+_':
      return checked(a + b);
    case '_-_':
      return checked(a - b);
    case '_*_':
      return checked(a * b);
    case '_/_':
      return b === 0n ? BY_ZERO : checked(a / b);
    default:
      return b === 0n ? BY_ZERO : checked(a % b);
  }
}

function doubles(operator: Operator, a: number, b: number): Result {
  switch (operator) {
    case '_+_':
      return a + b;
    case '_-_':
      return a - b;
    case '_*_':
      return a * b;
    case '_/_':
      return a / b;
    default:
      return noOverload(operator, a, b);
  }
}

function sum(a: Value, b: Value, meter: Meter): Result {
  if (typeof a === 'string' && typeof b === 'string') {
    meter.work -= (a.length + b.length) >> 3;
    return a.length + b.length > MAX_TEXT ? TOO_LONG : a + b;
  }
  if (isList(a) && isList(b)) {
    meter.work -= a.length + b.length;
    return a.length + b.length > MAX_LIST ? TOO_LONG : a.concat(b);
  }
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    meter.work -= (a.length + b.length) >> 3;
    return a.length + b.length > MAX_TEXT ? TOO_LONG : Buffer.concat([a, b]);
  }
  if (a instanceof Timestamp && b instanceof Duration) return toTimestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Timestamp) return toTimestamp(a.ns + b.ns);
  if (a instanceof Duration && b instanceof Duration) return toDuration(a.ns + b.ns);
  return noOverload('_+_', a, b);
}

function difference(a: Value, b: Value): Result {
  if (a instanceof Timestamp && b instanceof Timestamp) return toDuration(a.ns - b.ns);
  if (a instanceof Timestamp && b instanceof Duration) return toTimestamp(a.ns - b.ns);
  if (a instanceof Duration && b instanceof Duration) return toDuration(a.ns - b.ns);
  return noOverload('_-_', a, b);
}

export function negate(value: Value): Result {
  if (typeof value === 'bigint') return toInt(-value);
  return typeof value === 'number' ? -value : noOverload('-_', value);
}

/** Code points of a text, bytes, items of a list, entries of a map. */
export function sizeOf(value: Value, meter: Meter): number | ExpressionError {
  if (typeof value === 'string') {
    meter.work -= value.length >> 3;
    return codePoints(value);
  }
  if (isList(value) || value instanceof Uint8Array) return value.length;
  if (!(value instanceof MapValue)) return noOverload('size', value);
  const keys = value.source.keys(meter);
  return isError(keys) ? keys : keys.length;
}

function codePoints(text: string): number {
  let count = text.length;
  for (let i = 0; i < text.length - 1; i += 1) {
    if ((text.charCodeAt(i) & 0xfc00) !== 0xd800 || (text.charCodeAt(i + 1) & 0xfc00) !== 0xdc00) continue;
    count -= 1;
    i += 1;
  }
  return count;
}
