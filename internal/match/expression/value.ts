import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';

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

/** A map, whatever holds its entries. Each way of reading it charges what it costs. */
export interface MapSource {
  /** The value of a key; `undefined` when reading a key that is not there is an error. */
  get(key: Value, meter: Meter): Result | undefined;
  has(key: Value, meter: Meter): boolean | ExpressionError;
  keys(meter: Meter): readonly Value[] | ExpressionError;
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

/** Array.isArray that keeps the members' type. */
export const isList = (value: Value): value is readonly Value[] => Array.isArray(value);

export function noOverload(name: string, ...values: readonly Value[]): ExpressionError {
  return new ExpressionError(`no "${name}" for ${values.map(typeNameOf).join(' and ')}`);
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

  get(key: Value, meter: Meter): Result | undefined {
    chargeKey(key, meter);
    const text = keyText(key);
    return text === undefined ? undefined : this.#entries.get(text)?.[1];
  }

  has(key: Value, meter: Meter): boolean {
    chargeKey(key, meter);
    const text = keyText(key);
    return text !== undefined && this.#entries.has(text);
  }

  keys(meter: Meter): readonly Value[] {
    meter.work -= 5 * this.#entries.size;
    return Array.from(this.#entries.values(), ([key]) => key);
  }
}

/** To be looked up a text is read once. */
export function chargeKey(key: Value, meter: Meter): void {
  if (typeof key === 'string') meter.work -= key.length >> 5;
}

/** A text that is the same for equal keys and no others: strings, booleans and whole numbers have one. */
export function keyText(key: Value): string | undefined {
  if (typeof key === 'string') return `s${key}`;
  if (typeof key === 'boolean') return `b${key}`;
  if (typeof key === 'bigint') return `n${key}`;
  if (key instanceof Uint) return `n${key.value}`;
  return typeof key === 'number' && Number.isInteger(key) ? `n${BigInt(key)}` : undefined;
}
