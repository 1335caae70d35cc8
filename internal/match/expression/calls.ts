import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { ExpressionError } from '../../core/vocabulary.ts';
import { arithmetic, negate, noOverload, type Operator } from './arithmetic.ts';
import { compilePattern, FUNCTIONS, type Overload } from './functions.ts';
import type { Node, Run, Scope } from './node.ts';
import {
  BOOL,
  comparable,
  DURATION,
  DYN,
  describeType,
  INT,
  isNumeric,
  join,
  type StaticType,
  TIMESTAMP,
} from './static-type.ts';
import { DURATION_GETTERS, TIME_GETTERS, timeField, type Zone, zoneOf } from './time.ts';
import {
  compare,
  Duration,
  equals,
  isError,
  MapValue,
  type Result,
  Timestamp,
  typeNameOf,
  type Value,
} from './value.ts';

/** An author's mistake in an expression, at a node. */
export class CompileError extends Error {
  readonly node: Expr;

  constructor(node: Expr, message: string) {
    super(message);
    this.node = node;
  }
}

export interface Call {
  readonly name: string;
  readonly target: Node | undefined;
  readonly args: readonly Node[];
}

const NOT_BOOL = new ExpressionError('a condition is not a bool');

export function compileCall(expr: Expr, call: Call): Node {
  const [a, b, c] = call.args;
  if (call.target === undefined && a !== undefined) {
    if (call.name === '_&&_' && b) return logical(expr, [a, b], false);
    if (call.name === '_||_' && b) return logical(expr, [a, b], true);
    if (call.name === '_?_:_' && b && c) return conditional(expr, [a, b, c]);
    if (call.name === '!_') return not(expr, a);
    if (call.name === '@not_strictly_false') return { type: BOOL, run: (scope) => a.run(scope) !== false };
    if ((call.name === '_==_' || call.name === '_!=_') && b) return equality(expr, [a, b], call.name === '_==_');
    if (ORDERS[call.name] !== undefined && b) return ordering(expr, [a, b], call.name);
    if (call.name === '@in' && b) return membership(expr, a, b);
    if (call.name === '-_') return { type: checkNumeric(expr, a), run: strict1(a.run, negate) };
    if (ARITHMETIC.has(call.name) && b) return arithmeticNode(expr, [a, b], call.name as Operator);
  }
  return named(expr, call);
}

function requireBool(expr: Expr, node: Node): void {
  if (node.type.name !== 'bool' && node.type.name !== 'dyn') {
    throw new CompileError(expr, `A condition must be a bool, not ${describeType(node.type)}`);
  }
}

/** `&&` and `||`: the deciding value settles it, whatever the other side does, an error included. */
function logical(expr: Expr, [left, right]: readonly [Node, Node], decides: boolean): Node {
  requireBool(expr, left);
  requireBool(expr, right);
  const runLeft = left.run;
  const runRight = right.run;
  return {
    type: BOOL,
    run(scope) {
      const a = runLeft(scope);
      if (a === decides) return decides;
      const b = runRight(scope);
      if (b === decides) return decides;
      if (typeof a === 'boolean' && typeof b === 'boolean') return !decides;
      if (isError(a)) return a;
      return isError(b) ? b : NOT_BOOL;
    },
  };
}

function conditional(expr: Expr, [test, yes, no]: readonly [Node, Node, Node]): Node {
  requireBool(expr, test);
  return {
    type: join(yes.type, no.type),
    run(scope) {
      const value = test.run(scope);
      if (value === true) return yes.run(scope);
      if (value === false) return no.run(scope);
      return isError(value) ? value : NOT_BOOL;
    },
    ...(yes.small && no.small && { small: smallConditional(test, yes.small, no.small) }),
  };
}

function smallConditional(
  test: Node,
  yes: NonNullable<Node['small']>,
  no: NonNullable<Node['small']>,
): NonNullable<Node['small']> {
  return (scope) => {
    const value = test.run(scope);
    if (value === true) return yes(scope);
    if (value === false) return no(scope);
    return isError(value) ? value : NOT_BOOL;
  };
}

function not(expr: Expr, node: Node): Node {
  requireBool(expr, node);
  return {
    type: BOOL,
    run(scope) {
      const value = node.run(scope);
      if (typeof value === 'boolean') return !value;
      return isError(value) ? value : NOT_BOOL;
    },
  };
}

function equality(expr: Expr, [left, right]: readonly [Node, Node], isEqual: boolean): Node {
  if (!comparable(left.type, right.type)) {
    throw new CompileError(expr, `${describeType(left.type)} and ${describeType(right.type)} are never equal`);
  }
  const { run: runLeft } = left;
  const { run: runRight } = right;
  return {
    type: BOOL,
    run(scope) {
      const a = runLeft(scope);
      if (isError(a)) return a;
      const b = runRight(scope);
      if (isError(b)) return b;
      return (typeof a === 'string' ? a === b : equals(a, b)) === isEqual;
    },
  };
}

const ORDERS: Readonly<Record<string, (order: number) => boolean>> = {
  '_<_': (order) => order < 0,
  '_<=_': (order) => order <= 0,
  '_>_': (order) => order > 0,
  '_>=_': (order) => order >= 0,
};

const UNORDERED: ReadonlySet<string> = new Set(['list', 'map', 'null', 'type']);

function ordering(expr: Expr, [left, right]: readonly [Node, Node], name: string): Node {
  const holds = ORDERS[name] ?? (() => false);
  if (UNORDERED.has(left.type.name) || UNORDERED.has(right.type.name) || !comparable(left.type, right.type)) {
    throw new CompileError(expr, `${describeType(left.type)} and ${describeType(right.type)} have no order`);
  }
  if (left.small && right.small) return { type: BOOL, run: smallOrdering(left.small, right.small, holds) };
  return {
    type: BOOL,
    run(scope) {
      const a = left.run(scope);
      if (isError(a)) return a;
      const b = right.run(scope);
      if (isError(b)) return b;
      const order = compare(a, b);
      return order === undefined ? noOverload(name, a, b) : holds(order);
    },
  };
}

function smallOrdering(
  left: NonNullable<Node['small']>,
  right: NonNullable<Node['small']>,
  holds: (order: number) => boolean,
): Run {
  return (scope) => {
    const a = left(scope);
    if (typeof a !== 'number') return a;
    const b = right(scope);
    return typeof b === 'number' ? holds(a - b) : b;
  };
}

function membership(expr: Expr, item: Node, container: Node): Node {
  if (container.map !== undefined) return attributeMembership(item, container.map);
  const { name } = container.type;
  if (name !== 'list' && name !== 'map' && name !== 'dyn')
    throw new CompileError(expr, `"in" needs a list or a map, not ${describeType(container.type)}`);
  if (name === 'list' && !comparable(item.type, container.type.element ?? DYN)) {
    throw new CompileError(expr, `A ${describeType(container.type)} never holds a ${describeType(item.type)}`);
  }
  return { type: BOOL, run: strict2(item.run, container.run, isIn) };
}

function attributeMembership(item: Node, map: NonNullable<Node['map']>): Node {
  return {
    type: BOOL,
    run(scope) {
      const key = item.run(scope);
      return isError(key) ? key : typeof key === 'string' && map.keys(scope.evaluation).includes(key);
    },
  };
}

function isIn(item: Value, container: Value): Result {
  if (Array.isArray(container)) {
    if (typeof item === 'string') return container.includes(item);
    return container.some((member) => equals(item, member));
  }
  if (!(container instanceof MapValue)) return noOverload('in', item, container);
  const found = container.source.get(item);
  return isError(found) ? found : found !== undefined;
}

const ARITHMETIC: ReadonlySet<string> = new Set(['_+_', '_-_', '_*_', '_/_', '_%_']);

function checkNumeric(expr: Expr, node: Node): StaticType {
  if (node.type.name === 'dyn' || isNumeric(node.type)) return node.type;
  throw new CompileError(expr, `There is no "-" for ${describeType(node.type)}`);
}

function arithmeticNode(expr: Expr, [left, right]: readonly [Node, Node], operator: Operator): Node {
  const type = arithmeticType(left.type, right.type, operator);
  if (type === undefined) {
    const sign = operator.charAt(1);
    throw new CompileError(
      expr,
      `There is no "${sign}" for ${describeType(left.type)} and ${describeType(right.type)}`,
    );
  }
  return { type, run: strict2(left.run, right.run, (a, b) => arithmetic(operator, a, b)) };
}

const ADDABLE: ReadonlySet<string> = new Set(['string', 'bytes', 'list', 'duration']);

function arithmeticType(a: StaticType, b: StaticType, operator: Operator): StaticType | undefined {
  if (a.name === 'dyn' || b.name === 'dyn') return DYN;
  if (a.name === b.name && isNumeric(a)) return operator === '_%_' && a.name === 'double' ? undefined : a;
  if (operator === '_+_') {
    if (a.name === b.name && ADDABLE.has(a.name)) return join(a, b);
    const isShift =
      (a.name === 'timestamp' && b.name === 'duration') || (a.name === 'duration' && b.name === 'timestamp');
    return isShift ? TIMESTAMP : undefined;
  }
  if (operator !== '_-_') return undefined;
  if (a.name === 'timestamp') return b.name === 'timestamp' ? DURATION : b.name === 'duration' ? TIMESTAMP : undefined;
  return a.name === 'duration' && b.name === 'duration' ? DURATION : undefined;
}

function strict1(run: Run, apply: (value: Value) => Result): Run {
  return (scope) => {
    const value = run(scope);
    return isError(value) ? value : apply(value);
  };
}

function strict2(left: Run, right: Run, apply: (a: Value, b: Value) => Result): Run {
  return (scope) => {
    const a = left(scope);
    if (isError(a)) return a;
    const b = right(scope);
    return isError(b) ? b : apply(a, b);
  };
}

function named(expr: Expr, { name, target, args }: Call): Node {
  if (name === 'matches') return matchesNode(expr, target === undefined ? args : [target, ...args]);
  if (target !== undefined && TIME_GETTERS[name] !== undefined) return getterNode(expr, name, { target, args });
  const row = FUNCTIONS.get(name);
  const values = target === undefined ? args : [target, ...args];
  const overloads = (target === undefined ? row?.global : row?.member) ?? [];
  if (overloads.length === 0) {
    const how =
      row === undefined
        ? 'There is no function'
        : target === undefined
          ? 'Call on a value'
          : 'Call without a value the function';
    throw new CompileError(expr, `${how} "${name}"`);
  }
  const fitting = overloads.filter((overload) => fits(overload, values));
  if (fitting.length === 0) {
    throw new CompileError(
      expr,
      `There is no "${name}" for ${values.map((value) => describeType(value.type)).join(', ')}`,
    );
  }
  const [first] = fitting;
  const gives =
    fitting.length === 1 && first !== undefined ? first.gives : fitting.map((overload) => overload.gives).reduce(join);
  const node: Node = {
    type: gives,
    run: dispatch(
      name,
      fitting,
      values.map((value) => value.run),
    ),
  };
  return name === 'size' ? { ...node, small: smallSize(node.run) } : node;
}

function smallSize(run: Run): NonNullable<Node['small']> {
  return (scope) => {
    const size = run(scope);
    return typeof size === 'bigint' ? Number(size) : isError(size) ? size : NOT_BOOL;
  };
}

/** Attributes may be null whatever their type, so null is turned away only when it is there. */
function fits(overload: Overload, values: readonly Node[]): boolean {
  if (overload.takes.length !== values.length) return false;
  return overload.takes.every((kind, i) => {
    const name = values[i]?.type.name;
    return kind === 'dyn' || name === 'dyn' || name === kind;
  });
}

function dispatch(name: string, overloads: readonly Overload[], runs: readonly Run[]): Run {
  return (scope) => {
    const values: Value[] = [];
    for (const run of runs) {
      const value = run(scope);
      if (isError(value)) return value;
      values.push(value);
    }
    for (const { takes, run } of overloads) {
      if (takes.every((kind, i) => kind === 'dyn' || kind === typeNameOf(values[i] ?? null))) {
        return (run as (...args: readonly Value[]) => Result)(...values);
      }
    }
    return noOverload(name, ...values);
  };
}

function matchesNode(expr: Expr, [text, pattern]: readonly Node[]): Node {
  if (text === undefined || pattern === undefined) throw new CompileError(expr, '"matches" takes a text and a pattern');
  if (text.type.name !== 'string' && text.type.name !== 'dyn')
    throw new CompileError(expr, `There is no "matches" for ${describeType(text.type)}`);
  if (typeof pattern.constant !== 'string')
    throw new CompileError(expr, 'The pattern of "matches" must be written out, so that it is compiled once');
  const compiled = compilePattern(pattern.constant);
  if (typeof compiled === 'string') throw new CompileError(expr, `The pattern is not RE2: ${compiled}`);
  return { type: BOOL, run: strict1(text.run, compiled) };
}

const ZONE_UNKNOWN = new ExpressionError('the time zone is unknown');

function getterNode(
  expr: Expr,
  name: string,
  { target, args }: { readonly target: Node; readonly args: readonly Node[] },
): Node {
  if (!['timestamp', 'duration', 'dyn'].includes(target.type.name))
    throw new CompileError(expr, `There is no "${name}" for ${describeType(target.type)}`);
  const [zoneArgument] = args;
  const fixed =
    zoneArgument === undefined
      ? zoneOf('UTC')
      : typeof zoneArgument.constant === 'string'
        ? zoneOf(zoneArgument.constant)
        : undefined;
  if (typeof zoneArgument?.constant === 'string' && fixed === undefined)
    throw new CompileError(expr, `There is no time zone "${zoneArgument.constant}"`);
  const zoneAt = (scope: Scope): Zone | undefined => {
    if (fixed !== undefined || zoneArgument === undefined) return fixed;
    const zone = zoneArgument.run(scope);
    return typeof zone === 'string' ? zoneOf(zone) : undefined;
  };
  const small = (scope: Scope): number | ExpressionError => {
    const value = target.run(scope);
    if (isError(value)) return value;
    const zone = zoneAt(scope);
    if (zone === undefined) return ZONE_UNKNOWN;
    if (value instanceof Timestamp) return timeField(TIME_GETTERS[name] ?? (() => 0), value, zone);
    const getter = DURATION_GETTERS[name];
    return value instanceof Duration && getter !== undefined ? Number(getter(value.ns)) : noOverload(name, value);
  };
  const run: Run = (scope) => {
    const value = small(scope);
    return typeof value === 'number' ? BigInt(value) : value;
  };
  return { type: INT, run, small };
}
