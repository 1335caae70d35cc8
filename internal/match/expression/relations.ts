import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { MapAttribute } from '../../core/vocabulary.ts';
import { compare, equals, equalTexts, holds } from './equality.ts';
import { checkKey, keyError } from './member.ts';
import { CompileError, type Node, type Run, type RunSmall } from './node.ts';
import { BOOL, comparable, describeType, elementTypeOf, keyTypeOf } from './static-type.ts';
import { chargeKey, isError, isList, MapValue, noOverload, Uint, type Value } from './value.ts';

export function equality(expr: Expr, [left, right]: readonly [Node, Node], isEqual: boolean): Node {
  if (!comparable(left.type, right.type)) {
    throw new CompileError(expr, `${describeType(left.type)} and ${describeType(right.type)} are never equal`);
  }
  checkSpelling(expr, left, right.constant);
  checkSpelling(expr, right, left.constant);
  if (typeof right.constant === 'string') return { type: BOOL, run: textEquality(left.run, right.constant, isEqual) };
  if (typeof left.constant === 'string') return { type: BOOL, run: textEquality(right.run, left.constant, isEqual) };
  if (left.small && right.small) return { type: BOOL, run: smallEquality(left.small, right.small, isEqual) };
  if (right.small && typeof right.constant === 'bigint')
    return { type: BOOL, run: integerEquality(left.run, right.constant, isEqual) };
  const { run: runLeft } = left;
  const { run: runRight } = right;
  return {
    type: BOOL,
    run(scope) {
      const a = runLeft(scope);
      if (isError(a)) return a;
      const b = runRight(scope);
      if (isError(b)) return b;
      const result = typeof a === 'string' ? equalTexts(a, b, scope.evaluation) : equals(a, b, scope.evaluation);
      return typeof result === 'boolean' ? result === isEqual : result;
    },
  };
}

/** Refuses a comparison that could never hold: in a `deny` it would let everyone by. */
function checkSpelling(expr: Expr, { neverEqual }: Node, text: unknown): void {
  const problem = typeof text === 'string' ? neverEqual?.(text) : undefined;
  if (problem !== undefined) throw new CompileError(expr, problem);
}

function textEquality(run: Run, text: string, isEqual: boolean): Run {
  return (scope) => {
    const value = run(scope);
    return isError(value) ? value : (value === text) === isEqual;
  };
}

/** A number of JSON beside an integer that a double holds: no bigint is made of it. */
function integerEquality(run: Run, integer: bigint, isEqual: boolean): Run {
  const double = Number(integer);
  return (scope) => {
    const value = run(scope);
    if (typeof value === 'number') return (value === double) === isEqual;
    if (typeof value === 'bigint') return (value === integer) === isEqual;
    return isError(value) ? value : (equals(value, integer, scope.evaluation) === true) === isEqual;
  };
}

function smallEquality(left: RunSmall, right: RunSmall, isEqual: boolean): Run {
  return (scope) => {
    const a = left(scope);
    if (typeof a !== 'number') return a;
    const b = right(scope);
    return typeof b === 'number' ? (a === b) === isEqual : b;
  };
}

const ORDERS = {
  '_<_': (order: number) => order < 0,
  '_<=_': (order: number) => order <= 0,
  '_>_': (order: number) => order > 0,
  '_>=_': (order: number) => order >= 0,
} as const;
export type Ordering = keyof typeof ORDERS;
export const isOrdering = (name: string): name is Ordering => Object.hasOwn(ORDERS, name);

const UNORDERED: ReadonlySet<string> = new Set(['list', 'map', 'null', 'type']);

export function ordering(expr: Expr, [left, right]: readonly [Node, Node], name: Ordering): Node {
  const isInOrder = ORDERS[name];
  if (UNORDERED.has(left.type.name) || UNORDERED.has(right.type.name) || !comparable(left.type, right.type)) {
    throw new CompileError(expr, `${describeType(left.type)} and ${describeType(right.type)} have no order`);
  }
  if (left.small && right.small) return { type: BOOL, run: smallOrdering(left.small, right.small, isInOrder) };
  return {
    type: BOOL,
    run(scope) {
      const a = left.run(scope);
      if (isError(a)) return a;
      const b = right.run(scope);
      if (isError(b)) return b;
      const order = compare(a, b, scope.evaluation);
      return order === undefined ? noOverload(name, a, b) : isInOrder(order);
    },
  };
}

function smallOrdering(left: RunSmall, right: RunSmall, isInOrder: (order: number) => boolean): Run {
  return (scope) => {
    const a = left(scope);
    if (typeof a !== 'number') return a;
    const b = right(scope);
    return typeof b === 'number' ? isInOrder(a - b) : b;
  };
}

/** `in`: a member of a list, a key of a map. */
export function membership(expr: Expr, item: Node, container: Node): Node {
  if (container.map !== undefined) return attributeMembership(expr, item, container.map);
  const { type } = container;
  if (type.name !== 'list' && type.name !== 'map' && type.name !== 'dyn')
    throw new CompileError(expr, `"in" needs a list or a map, not ${describeType(type)}`);
  const inner = type.name === 'list' ? elementTypeOf(type) : keyTypeOf(type);
  if (!comparable(item.type, inner))
    throw new CompileError(expr, `A ${describeType(type)} never holds a ${describeType(item.type)}`);
  const texts = constantTexts(container);
  for (const text of texts ?? []) checkSpelling(expr, item, text);
  return { type: BOOL, run: texts === undefined ? isIn(item.run, container.run) : isAmong(item.run, texts) };
}

function constantTexts({ constant }: Node): ReadonlySet<unknown> | undefined {
  if (constant === undefined || !isList(constant)) return undefined;
  return constant.every((member) => typeof member === 'string') ? new Set(constant) : undefined;
}

function isAmong(run: Run, texts: ReadonlySet<unknown>): Run {
  return (scope) => {
    const value = run(scope);
    return isError(value) ? value : texts.has(value);
  };
}

function isIn(item: Run, container: Run): Run {
  return (scope) => {
    const value = item(scope);
    if (isError(value)) return value;
    const among = container(scope);
    if (isError(among)) return among;
    if (isList(among)) return holds(among, value, scope.evaluation);
    if (!(among instanceof MapValue) || !isKey(value)) return noOverload('in', value, among);
    return among.source.has(value, scope.evaluation);
  };
}

/** What can be no key is an error, not just absent: a list in the body must not slip past `role in {'admin': true}`. */
const isKey = (value: Value): boolean => typeof value !== 'object' || value instanceof Uint;

function attributeMembership(expr: Expr, item: Node, map: MapAttribute): Node {
  checkKey(expr, item, map);
  return {
    type: BOOL,
    run(scope) {
      const key = item.run(scope);
      if (isError(key)) return key;
      if (typeof key !== 'string') return isKey(key) ? false : noOverload('in', key);
      chargeKey(key, scope.evaluation);
      return keyError(map, key) ?? map.has(scope.evaluation, key);
    },
  };
}
