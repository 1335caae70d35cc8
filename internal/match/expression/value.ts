import { ExpressionError } from '../../core/vocabulary.ts';

/**
 * What an expression computes with. Integers are bigint (64 bits, checked), doubles are numbers; a list is an array,
 * so a list of strings of the request is used as it is.
 */
export type Value =
  | null
  | boolean
  | bigint
  | number
  | string
  | Uint8Array
  | Uint
  | Timestamp
  | Duration
  | MapValue
  | TypeValue
  | readonly Value[];
export type Result = Value | ExpressionError;

export class Uint {
  readonly value: bigint;
  constructor(value: bigint) {
    this.value = value;
  }
}

export class Timestamp {
  /** Nanoseconds since the Unix epoch. */
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

export class Duration {
  readonly ns: bigint;
  constructor(ns: bigint) {
    this.ns = ns;
  }
}

/** What `type(x)` gives. */
export class TypeValue {
  readonly name: string;
  constructor(name: string) {
    this.name = name;
  }
}

/** A map, whatever holds its entries. A key that is not there is `undefined`; what that means is the reader's. */
export interface MapSource {
  get(key: Value): Result | undefined;
  keys(): readonly Value[];
}

export class MapValue {
  readonly source: MapSource;
  constructor(source: MapSource) {
    this.source = source;
  }
}

export type TypeName =
  | 'null'
  | 'bool'
  | 'int'
  | 'uint'
  | 'double'
  | 'string'
  | 'bytes'
  | 'timestamp'
  | 'duration'
  | 'list'
  | 'map'
  | 'type';

export function typeNameOf(value: Value): TypeName {
  switch (typeof value) {
    case 'string':
      return 'string';
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'double';
    default:
      return objectTypeName(value);
  }
}

function objectTypeName(value: Exclude<Value, string | boolean | bigint | number>): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'list';
  if (value instanceof MapValue) return 'map';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof Duration) return 'duration';
  if (value instanceof Uint) return 'uint';
  return value instanceof Uint8Array ? 'bytes' : 'type';
}

export const isError = (value: unknown): value is ExpressionError => value instanceof ExpressionError;

/** JSON as expressions see it: numbers are doubles, objects maps. */
export function fromJson(json: unknown): Value {
  if (Array.isArray(json)) return json.map(fromJson);
  if (typeof json === 'object' && json !== null) return new MapValue(new JsonSource(json as Record<string, unknown>));
  if (typeof json === 'string' || typeof json === 'boolean' || typeof json === 'number') return json;
  return null;
}

class JsonSource implements MapSource {
  readonly #object: Readonly<Record<string, unknown>>;

  constructor(object: Readonly<Record<string, unknown>>) {
    this.#object = object;
  }

  get(key: Value): Result | undefined {
    return typeof key === 'string' && Object.hasOwn(this.#object, key) ? fromJson(this.#object[key]) : undefined;
  }

  keys(): readonly Value[] {
    return Object.keys(this.#object);
  }
}

/** A map written in an expression; keys are strings, integers or booleans, and `1`, `1u` and `1.0` are one key. */
export class LiteralSource implements MapSource {
  readonly #entries = new Map<string, readonly [Value, Value]>();

  /** @returns false when the key is already there or cannot be one */
  add(key: Value, value: Value): boolean {
    const text = keyText(key);
    if (text === undefined || typeof key === 'number' || this.#entries.has(text)) return false;
    this.#entries.set(text, [key, value]);
    return true;
  }

  get(key: Value): Result | undefined {
    const text = keyText(key);
    return text === undefined ? undefined : this.#entries.get(text)?.[1];
  }

  keys(): readonly Value[] {
    return [...this.#entries.values()].map(([key]) => key);
  }
}

function keyText(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  return typeof key === 'number' && Number.isInteger(key) ? `n${BigInt(key)}` : undefined;
}

/** Equality across numeric types; values of different kinds are just not equal. */
export function equals(a: Value, b: Value): boolean {
  if (typeof a === 'string' || typeof b === 'string' || typeof a === 'boolean' || typeof b === 'boolean')
    return a === b;
  if (a === null || b === null) return a === b;
  const order = compareNumbers(a, b);
  if (order !== undefined) return order === 0;
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((item, i) => equals(item, b[i]));
  if (a instanceof MapValue && b instanceof MapValue) return equalMaps(a.source, b.source);
  if (a instanceof Timestamp && b instanceof Timestamp) return a.ns === b.ns;
  if (a instanceof Duration && b instanceof Duration) return a.ns === b.ns;
  if (a instanceof TypeValue && b instanceof TypeValue) return a.name === b.name;
  return a instanceof Uint8Array && b instanceof Uint8Array && Buffer.compare(a, b) === 0;
}

function equalMaps(a: MapSource, b: MapSource): boolean {
  const keys = a.keys();
  if (keys.length !== b.keys().length) return false;
  return keys.every((key) => {
    const left = a.get(key);
    const right = b.get(key);
    return left !== undefined && right !== undefined && !isError(left) && !isError(right) && equals(left, right);
  });
}

/** Order of two numbers of any type; NaN when one is not a number, undefined when one is no numeric value at all. */
export function compareNumbers(a: Value, b: Value): number | undefined {
  const left = a instanceof Uint ? a.value : a;
  const right = b instanceof Uint ? b.value : b;
  const isNumeric = (value: Value): value is bigint | number => typeof value === 'bigint' || typeof value === 'number';
  if (!isNumeric(left) || !isNumeric(right)) return undefined;
  if (typeof left === typeof right) return order(left, right);
  // An integer beside a double is taken as a double, as the conformance suite has it.
  return order(Number(left), Number(right));
}

function order<T extends bigint | number>(left: T, right: bigint | number): number {
  if (Number.isNaN(left) || Number.isNaN(right)) return Number.NaN;
  if (left < right) return -1;
  return left > right ? 1 : 0;
}

/** Order of two values of one ordered type; undefined when they have none. */
export function compare(a: Value, b: Value): number | undefined {
  if (typeof a === 'string' && typeof b === 'string') return compareCodePoints(a, b);
  if (typeof a === 'boolean' && typeof b === 'boolean') return Number(a) - Number(b);
  if (a instanceof Timestamp && b instanceof Timestamp) return compareNumbers(a.ns, b.ns);
  if (a instanceof Duration && b instanceof Duration) return compareNumbers(a.ns, b.ns);
  if (a instanceof Uint8Array && b instanceof Uint8Array) return Buffer.compare(a, b);
  return compareNumbers(a, b);
}

/** JavaScript orders by UTF-16 units, which puts U+E000–U+FFFF after characters beyond the first plane. */
function compareCodePoints(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
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
