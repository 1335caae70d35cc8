import type { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import {
  Duration,
  isError,
  isList,
  type MapSource,
  MapValue,
  Timestamp,
  TypeValue,
  Uint,
  type Value,
} from './value.ts';

/** Equality across numeric types; values of different kinds are just not equal. An error: a member cannot be read. */
export function equals(a: Value, b: Value, meter: Meter): boolean | ExpressionError {
  if (typeof a === 'string') return equalTexts(a, b, meter);
  if (typeof b === 'string' || typeof a === 'boolean' || typeof b === 'boolean') return a === b;
  if (a === null || b === null) return a === b;
  const numbersAreEqual = equalNumbers(a, b);
  if (numbersAreEqual !== undefined) return numbersAreEqual;
  if (isList(a)) return isList(b) && equalLists(a, b, meter);
  if (a instanceof MapValue) return b instanceof MapValue && equalMaps(a.source, b.source, meter);
  if (a instanceof Timestamp) return b instanceof Timestamp && a.ns === b.ns;
  if (a instanceof Duration) return b instanceof Duration && a.ns === b.ns;
  if (a instanceof TypeValue) return b instanceof TypeValue && a.name === b.name;
  if (!(a instanceof Uint8Array) || !(b instanceof Uint8Array) || a.length !== b.length) return false;
  meter.work -= a.length >> 6;
  return Buffer.compare(a, b) === 0;
}

/** The same for texts, which are read only when they are equally long. */
export function equalTexts(a: string, b: Value, meter: Meter): boolean {
  if (typeof b === 'string' && a.length === b.length) meter.work -= a.length >> 6;
  return a === b;
}

function equalLists(a: readonly Value[], b: readonly Value[], meter: Meter): boolean | ExpressionError {
  if (a.length !== b.length) return false;
  for (const [i, item] of a.entries()) {
    meter.work -= 3;
    if (meter.work < 0) return false;
    const isEqual = equals(item, b[i] ?? null, meter);
    if (isEqual !== true) return isEqual;
  }
  return true;
}

function equalMaps(a: MapSource, b: MapSource, meter: Meter): boolean | ExpressionError {
  const keys = a.keys(meter);
  if (isError(keys)) return keys;
  const others = b.keys(meter);
  if (isError(others)) return others;
  if (keys.length !== others.length) return false;
  for (const key of keys) {
    meter.work -= 20;
    if (meter.work < 0) return false;
    const isThere = b.has(key, meter);
    if (isThere !== true) return isThere;
    const left = a.get(key, meter) ?? null;
    if (isError(left)) return left;
    const right = b.get(key, meter) ?? null;
    if (isError(right)) return right;
    const isEqual = equals(left, right, meter);
    if (isEqual !== true) return isEqual;
  }
  return true;
}

/** Whether a list holds a value. */
export function holds(list: readonly Value[], item: Value, meter: Meter): boolean | ExpressionError {
  meter.work -= list.length;
  if (typeof item === 'string') {
    // Texts are read where they are equally long: in the worst case all are.
    meter.work -= list.length * (item.length >> 6);
    return meter.work >= 0 && list.includes(item);
  }
  meter.work -= 3 * list.length;
  let unread: ExpressionError | undefined;
  for (const member of list) {
    if (meter.work < 0) return false;
    const isEqual = equals(item, member, meter);
    if (isEqual === true) return true;
    if (isEqual !== false) unread ??= isEqual;
  }
  return unread ?? false;
}

const isNumber = (value: unknown): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';

/** Equality of numbers of any type, exact: 2^63-1 is not the double 2^63. Undefined for other values. */
function equalNumbers(a: Value, b: Value): boolean | undefined {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  // JavaScript compares an integer and a double without taking the one for the other.
  return isNumber(left) && isNumber(right) ? left >= right && left <= right : undefined;
}

/** Order of two numbers of any type; NaN when one is not a number, undefined for other values. */
function compareNumbers(a: Value, b: Value): number | undefined {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  if (!isNumber(left) || !isNumber(right)) return undefined;
  if (typeof left === 'bigint' && typeof right === 'bigint') return left < right ? -1 : left > right ? 1 : 0;
  // For order, an integer beside a double is taken as a double: the conformance suite has it so.
  const difference = Number(left) - Number(right);
  return Number(left) === Number(right) ? 0 : difference;
}

/** Order of two values of one ordered type; undefined when they have none. */
export function compare(a: Value, b: Value, meter: Meter): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b, meter);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNumbers(a.ns, b.ns);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.ns, b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) {
    meter.work -= Math.min(a.length, b.length) >> 6;
    return Buffer.compare(a, b);
  }
  return compareNumbers(a, b);
}

/** JavaScript orders by UTF-16 units, which puts U+E000–U+FFFF after characters beyond the first plane. */
function compareCodePoints(a: string, b: string, meter: Meter): number {
  const length = Math.min(a.length, b.length);
  meter.work -= length >> 1;
  for (let i = 0; i < length; i += 1) {
    const left = a.charCodeAt(i);
    const right = b.charCodeAt(i);
    if (left === right) continue;
    const leftIsSurrogate = left >= 0xd800 && left <= 0xdfff;
    const rightIsSurrogate = right >= 0xd800 && right <= 0xdfff;
    if (leftIsSurrogate !== rightIsSurrogate) return leftIsSurrogate ? 1 : -1;
    return left - right;
  }
  return a.length - b.length;
}
