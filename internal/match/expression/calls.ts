import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { nearest } from '../../core/nearest.ts';
import { sizeOf } from './arithmetic.ts';
import { arithmeticNode, isArithmetic, negation } from './arithmetic-node.ts';
import type { DearParts } from './dear-parts.ts';
import { FUNCTIONS, type Overload } from './functions.ts';
import { conditional, logical, not } from './logic.ts';
import { CompileError, constantNode, type Node, type Run } from './node.ts';
import { matchesRun } from './pattern.ts';
import { equality, isOrdering, membership, ordering } from './relations.ts';
import { BOOL, describeType, join } from './static-type.ts';
import { isTimeField, TIME_FIELD_NAMES, timeFieldNode } from './time-field.ts';
import { isError, noOverload, typeNameOf, type Value } from './value.ts';

export interface Call {
  readonly name: string;
  readonly target: Node | undefined;
  readonly args: readonly Node[];
  /** Takes what is dear to make. */
  readonly dear: DearParts;
}

/** Operators, functions and methods. */
export function compileCall(expr: Expr, call: Call): Node {
  const [a, b, c] = call.args;
  if (call.target === undefined && a !== undefined) {
    const { name } = call;
    if (name === '!_') return not(expr, a);
    if (name === '-_') return negation(expr, a);
    if (b !== undefined) {
      if (name === '_&&_') return logical(expr, [a, b], false);
      if (name === '_||_') return logical(expr, [a, b], true);
      if (name === '_==_' || name === '_!=_') return equality(expr, [a, b], name === '_==_');
      if (name === '@in') return membership(expr, a, b);
      if (isOrdering(name)) return ordering(expr, [a, b], name);
      if (isArithmetic(name)) return arithmeticNode(expr, [a, b], name);
      if (name === '_?_:_' && c !== undefined) return conditional(expr, [a, b, c]);
    }
  }
  return named(expr, call);
}

function named(expr: Expr, { name, target, args, dear }: Call): Node {
  const values = target === undefined ? args : [target, ...args];
  if (name === 'matches') return matchesNode(expr, values, dear);
  if (target !== undefined && isTimeField(name)) return timeFieldNode(expr, { name, dear }, values);
  checkCase(expr, target, args);
  const row = FUNCTIONS.get(name);
  const overloads = (target === undefined ? row?.global : row?.member) ?? [];
  if (overloads.length === 0) throw new CompileError(expr, noFunction(name, row !== undefined, target !== undefined));
  const fitting = overloads.filter((overload) => fits(overload, values));
  const [first, ...others] = fitting;
  if (first === undefined) {
    const types = values.map(({ type }) => describeType(type)).join(', ');
    throw new CompileError(expr, `There is no "${name}" for ${types === '' ? 'no values' : types}`);
  }
  const folded = fold(expr, name, { overloads: fitting, values });
  if (folded !== undefined) return folded;
  const type = others.map(({ gives }) => gives).reduce(join, first.gives);
  const node: Node = { type, run: dispatch({ name, cost: COSTS[name] ?? COST, overloads: fitting, values }) };
  const [value] = values;
  return name === 'size' && value !== undefined ? { ...node, small: smallSize(value.run) } : node;
}

/** Refuses to look for what can never be found: in a `deny` it would let everyone by. */
function checkCase(expr: Expr, target: Node | undefined, [part]: readonly Node[]): void {
  const text = part?.constant;
  if (target?.isLowerCase !== true || typeof text !== 'string' || text === text.toLowerCase()) return;
  throw new CompileError(expr, `The text is in lower case here: write "${text.toLowerCase()}" for "${text}"`);
}

/** Macros as they are written: the parser leaves one that is written otherwise as a call. */
const MACROS: Readonly<Record<string, string>> = {
  has: `has(value.field); for the key of a map write 'x-a' in request.headers`,
  all: 'list.all(item, condition)',
  exists: 'list.exists(item, condition)',
  exists_one: 'list.exists_one(item, condition)',
  filter: 'list.filter(item, condition)',
  map: 'list.map(item, value)',
};
const CALLABLE: readonly string[] = [...FUNCTIONS.keys(), 'matches', ...TIME_FIELD_NAMES, ...Object.keys(MACROS)];

function noFunction(name: string, isFunction: boolean, isMember: boolean): string {
  if (Object.hasOwn(MACROS, name)) return `"${name}" is written as ${MACROS[name]}`;
  if (!isFunction) {
    const hint = nearest(name, CALLABLE);
    return `There is no function "${name}"${hint === undefined ? '' : `: did you mean "${hint}"?`}`;
  }
  return isMember ? `"${name}" is called as ${name}(value)` : `"${name}" is called on a value, as value.${name}(…)`;
}

/** Attributes may be null whatever their type, so null is turned away only when it is there. */
function fits(overload: Overload, values: readonly Node[]): boolean {
  if (overload.takes.length !== values.length) return false;
  return overload.takes.every((kind, i) => {
    const name = values[i]?.type.name;
    return kind === 'dyn' || name === 'dyn' || name === kind;
  });
}

interface Calling {
  readonly overloads: readonly Overload[];
  readonly values: readonly Node[];
}

interface Dispatching extends Calling {
  readonly name: string;
  /** Steps of each call, besides what the function charges for the length of what it is given. */
  readonly cost: number;
}

const COST = 5;
/** Measured; conversions to and from text are the dear ones. */
const COSTS: Readonly<Record<string, number>> = {
  string: 200,
  bytes: 400,
  double: 50,
  int: 50,
  uint: 50,
  timestamp: 500,
  duration: 1200,
};

/** What is known when the policy arrives is worked out then: `duration('24h')` is parsed once. */
function fold(expr: Expr, name: string, { overloads, values }: Calling): Node | undefined {
  if (name === 'dyn') return undefined;
  const constants: Value[] = [];
  for (const { constant } of values) {
    if (constant === undefined) return undefined;
    constants.push(constant);
  }
  const overload = overloads.find(({ takes }) => areKinds(takes, constants));
  const result = overload?.apply({ work: 100_000, iterations: 0 }, ...constants);
  if (isError(result) && (name === 'duration' || name === 'timestamp'))
    throw new CompileError(expr, `${name}(…) cannot be read: ${result.message}`);
  return result === undefined || isError(result) ? undefined : constantNode(result);
}

const areKinds = (takes: Overload['takes'], values: readonly Value[]): boolean =>
  takes.every((kind, i) => kind === 'dyn' || kind === typeNameOf(values[i] ?? null));

function dispatch({ name, cost, overloads, values }: Dispatching): Run {
  const [overload, another] = overloads;
  const [a, b] = values;
  if (overload !== undefined && another === undefined && a !== undefined) {
    if (b === undefined) return dispatch1({ name, cost }, overload, a.run);
    if (values.length === 2) return dispatch2({ name, cost }, overload, [a.run, b.run]);
  }
  const runs = values.map(({ run }) => run);
  return (scope) => {
    const given: Value[] = [];
    for (const run of runs) {
      const value = run(scope);
      if (isError(value)) return value;
      given.push(value);
    }
    const fitting = overloads.find(({ takes }) => areKinds(takes, given));
    scope.evaluation.work -= cost;
    return fitting === undefined ? noOverload(name, ...given) : fitting.apply(scope.evaluation, ...given);
  };
}

type Called = Pick<Dispatching, 'name' | 'cost'>;

function dispatch1({ name, cost }: Called, { takes: [kind], apply }: Overload, run: Run): Run {
  return (scope) => {
    const a = run(scope);
    if (isError(a)) return a;
    scope.evaluation.work -= cost;
    return kind === 'dyn' || typeNameOf(a) === kind ? apply(scope.evaluation, a) : noOverload(name, a);
  };
}

function dispatch2(
  { name, cost }: Called,
  { takes: [kindA, kindB], apply }: Overload,
  [runA, runB]: readonly [Run, Run],
): Run {
  return (scope) => {
    const a = runA(scope);
    if (isError(a)) return a;
    const b = runB(scope);
    if (isError(b)) return b;
    const { evaluation } = scope;
    evaluation.work -= cost;
    return typeNameOf(a) === kindA && typeNameOf(b) === kindB ? apply(evaluation, a, b) : noOverload(name, a, b);
  };
}

function smallSize(run: Run): NonNullable<Node['small']> {
  return (scope) => {
    const value = run(scope);
    return isError(value) ? value : sizeOf(value, scope.evaluation);
  };
}

function matchesNode(expr: Expr, [text, pattern, ...rest]: readonly Node[], dear: DearParts): Node {
  if (text === undefined || pattern === undefined || rest.length > 0)
    throw new CompileError(expr, '"matches" takes a text and a pattern');
  if (text.type.name !== 'string' && text.type.name !== 'dyn')
    throw new CompileError(expr, `There is no "matches" for ${describeType(text.type)}`);
  if (typeof pattern.constant !== 'string')
    throw new CompileError(expr, 'The pattern of "matches" must be written out, so that it is compiled once');
  // A pattern may name letters in ways that cannot be looked through, `[^A]` among them: their case does not count.
  const matching = dear.pattern(expr, text.isLowerCase ? `(?i)${pattern.constant}` : pattern.constant);
  return { type: BOOL, run: matchesRun(text.run, matching) };
}
