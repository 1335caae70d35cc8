import { ExpressionError } from '../../core/expression-error.ts';
import { isError, type MapSource, MapValue, type Result, type Value } from './value.ts';

const INEXACT = new ExpressionError('the JSON holds a number that no double holds exactly');

/** Lists are lifted once: a request's or a token's JSON does not change. */
const lifted = new WeakMap<readonly unknown[], Result>();

/**
 * JSON as expressions see it: numbers are doubles, objects maps. A whole number beyond 2^53 would be equal to its
 * neighbours, so that 9007199254740993 passed for 9007199254740992: reading one is an error.
 */
export function fromJson(json: unknown): Result {
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
      return Array.isArray(json) ? listFromJson(json) : new MapValue(new JsonSource(json));
    default:
      return null;
  }
}

function listFromJson(json: readonly unknown[]): Result {
  const known = lifted.get(json);
  if (known !== undefined) return known;
  const result = liftList(json);
  lifted.set(json, result);
  return result;
}

function liftList(json: readonly unknown[]): Result {
  const list: Value[] = [];
  for (const item of json) {
    const value = fromJson(item);
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

  get(key: Value): Result | undefined {
    return this.has(key) ? fromJson(Reflect.get(this.#object, String(key))) : undefined;
  }

  has(key: Value): boolean {
    return typeof key === 'string' && Object.hasOwn(this.#object, key);
  }

  keys(): readonly Value[] {
    return Object.keys(this.#object);
  }
}
