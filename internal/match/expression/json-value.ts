import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import { chargeKey, isError, type MapSource, MapValue, type Result, type Value } from './value.ts';

const TOO_MUCH = new ExpressionError('the JSON is too large to be read');
const INEXACT = new ExpressionError('the JSON holds a number that no double holds exactly');

/** Lists are lifted once: a request's or a token's JSON does not change. */
const lifted = new WeakMap<readonly unknown[], Result>();
/** So are an object's keys listed: a macro may ask for them in each of its rounds. */
const listed = new WeakMap<object, readonly string[]>();
/** Steps of lifting a list, of one member, and of listing one key: measured. */
const LIST_COST = 60;
const MEMBER_COST = 5;
const KEY_COST = 15;

/**
 * JSON as expressions see it: numbers are doubles, objects maps. A whole number beyond 2^53 would be equal to its
 * neighbours, so that 9007199254740993 passed for 9007199254740992: reading one is an error.
 */
export function fromJson(json: unknown, meter: Meter): Result {
  switch (typeof json) {
    case 'string':
    case 'boolean':
      return json;
    case 'number':
      return Number.isInteger(json)
        ? Number.isSafeInteger(json)
          ? json
          : INEXACT
        : Number.isFinite(json)
          ? json
          : INEXACT;
    case 'object':
      if (json === null) return null;
      return Array.isArray(json) ? listFromJson(json, meter) : new MapValue(new JsonSource(json));
    default:
      return null;
  }
}

function listFromJson(json: readonly unknown[], meter: Meter): Result {
  const known = lifted.get(json);
  if (known !== undefined) return known;
  meter.work -= LIST_COST + MEMBER_COST * json.length;
  const result = liftList(json, meter);
  // What the budget cut short is no answer for the next check.
  if (meter.work >= 0) lifted.set(json, result);
  return result;
}

function liftList(json: readonly unknown[], meter: Meter): Result {
  const list: Value[] = [];
  for (const item of json) {
    if (meter.work < 0) return TOO_MUCH;
    const value = fromJson(item, meter);
    if (isError(value)) return value;
    list.push(value);
  }
  return list;
}

class JsonSource implements MapSource {
  readonly #object: object;

  constructor(object: object) {
    this.#object = object;
  }

  get(key: Value, meter: Meter): Result | undefined {
    return this.has(key, meter) ? fromJson(Reflect.get(this.#object, String(key)), meter) : undefined;
  }

  has(key: Value, meter: Meter): boolean {
    chargeKey(key, meter);
    return typeof key === 'string' && Object.hasOwn(this.#object, key);
  }

  keys(meter: Meter): readonly Value[] {
    meter.work -= KEY_COST;
    const known = listed.get(this.#object);
    if (known !== undefined) return known;
    const keys = Object.keys(this.#object);
    meter.work -= KEY_COST * keys.length;
    listed.set(this.#object, keys);
    return keys;
  }
}
