import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { REPEATED } from '../../core/attribute-readers.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import type { Meter } from '../../core/meter.ts';
import type { MapAttribute } from '../../core/vocabulary.ts';
import { fromJson } from './json-value.ts';
import { CompileError, type Node, type Run } from './node.ts';
import {
  BOOL,
  comparable,
  describeType,
  elementTypeOf,
  isNumeric,
  keyTypeOf,
  STRING,
  valueTypeOf,
} from './static-type.ts';
import { chargeKey, isError, isList, MapValue, noOverload, type Result, Uint, type Value } from './value.ts';

export interface Lookup {
  readonly object: Node;
  readonly key: Node;
  /** `has(object.key)`: whether it is there, not what it is. */
  readonly testOnly: boolean;
}

const NO_KEY = new ExpressionError('there is no such key');
const NO_ITEM = new ExpressionError('the index is out of range');
const NULL_OBJECT = new ExpressionError('a value is read from null');

/** `object.key` and `object[key]`. */
export function lookupNode(expr: Expr, lookup: Lookup): Node {
  const { object, key, testOnly } = lookup;
  if (object.map !== undefined) return attributeLookup(expr, lookup, object.map);
  const { type } = object;
  if (type.name !== 'map' && type.name !== 'list' && type.name !== 'dyn')
    throw new CompileError(expr, `A ${describeType(type)} has no members`);
  if (type.name === 'map' && !comparable(key.type, keyTypeOf(type)))
    throw new CompileError(expr, `A ${describeType(type)} has no key of the type ${describeType(key.type)}`);
  if (type.name === 'list' && (testOnly || !(isNumeric(key.type) || key.type.name === 'dyn')))
    throw new CompileError(expr, `A list is read by index, not by ${describeType(key.type)}`);
  if (testOnly) return { type: BOOL, run: strict(object.run, key.run, hasMember) };
  return {
    type: type.name === 'list' ? elementTypeOf(type) : valueTypeOf(type),
    run: strict(object.run, key.run, memberOf),
  };
}

function strict(object: Run, key: Run, apply: (container: Value, key: Value, meter: Meter) => Result): Run {
  return (scope) => {
    const container = object(scope);
    if (isError(container)) return container;
    const name = key(scope);
    return isError(name) ? name : apply(container, name, scope.evaluation);
  };
}

function hasMember(container: Value, key: Value, meter: Meter): Result {
  if (container instanceof MapValue) return container.source.has(key, meter);
  return container === null ? NULL_OBJECT : noOverload('has', container);
}

function memberOf(container: Value, key: Value, meter: Meter): Result {
  if (container instanceof MapValue) {
    const value = container.source.get(key, meter);
    return value === undefined ? NO_KEY : value;
  }
  if (container === null) return NULL_OBJECT;
  if (!isList(container)) return noOverload('[]', container, key);
  const value = container[indexOf(key)];
  return value === undefined ? NO_ITEM : value;
}

/** @returns -1 for what is no index */
function indexOf(key: Value): number {
  if (typeof key === 'bigint') return Number(key);
  if (key instanceof Uint) return Number(key.value);
  return typeof key === 'number' ? key : -1;
}

/** An attribute's key is looked up where the request keeps it; one that is not there is null. */
function attributeLookup(expr: Expr, { object, key, testOnly }: Lookup, map: MapAttribute): Node {
  checkKey(expr, key, map);
  if (testOnly) return { type: BOOL, run: hasKey(map, key.run) };
  const isJson = map.type === 'map(string, dyn)';
  const type = valueTypeOf(object.type);
  const { lookup } = map;
  const name = key.constant;
  if (typeof name !== 'string') return { type, run: dynamicLookup(map, key.run) };
  if (isJson) return { type, run: ({ evaluation }) => lifted(lookup(evaluation, name), evaluation) };
  const repeated = new ExpressionError(`"${name}" is repeated`);
  const run: Run = ({ evaluation }) => {
    const value = lookup(evaluation, name) as Result;
    return value === REPEATED ? repeated : value;
  };
  return { type, run };
}

/** Refuses, when the policy arrives, a key that could never be right. */
export function checkKey(expr: Expr, key: Node, map: MapAttribute): void {
  if (!comparable(key.type, STRING))
    throw new CompileError(expr, `The key must be a string, not ${describeType(key.type)}`);
  const problem = typeof key.constant === 'string' ? map.keyProblem?.(key.constant) : map.dynamicKeyProblem;
  if (problem !== undefined) throw new CompileError(expr, problem);
}

const WRONG_KEY = new ExpressionError('the request tells a name that nothing has: upper case, or no header');

/** The same for a key that only the request tells: what it is stays unsaid, for it is a value of the request. */
export const keyError = (map: MapAttribute, key: string): ExpressionError | undefined =>
  map.keyProblem?.(key) === undefined ? undefined : WRONG_KEY;

export const lifted = (json: unknown, meter: Meter): Result => (isError(json) ? json : fromJson(json, meter));

function dynamicLookup(map: MapAttribute, key: Run): Run {
  return (scope) => {
    const name = key(scope);
    if (typeof name !== 'string') return isError(name) ? name : noOverload('[]', name);
    chargeKey(name, scope.evaluation);
    return keyError(map, name) ?? lifted(map.lookup(scope.evaluation, name), scope.evaluation);
  };
}

function hasKey(map: MapAttribute, key: Run): Run {
  return (scope) => {
    const name = key(scope);
    if (typeof name !== 'string') return isError(name) ? name : noOverload('has', name);
    chargeKey(name, scope.evaluation);
    return keyError(map, name) ?? map.has(scope.evaluation, name);
  };
}
