import type { Expr, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { ExpressionError } from '../../core/expression-error.ts';
import { isSpent } from '../../core/meter.ts';
import { TOO_LONG } from './arithmetic.ts';
import { notBool, requireBool } from './logic.ts';
import { MAX_LIST, type Node, type Run, type Scope } from './node.ts';
import { BOOL, DYN, elementTypeOf, keyTypeOf, listOf, type StaticType } from './static-type.ts';
import { isError, isList, MapValue, type Result, type Value } from './value.ts';

// The parser writes each macro out as a fold; here its shape is recognised and run as the loop that it means. Authors
// cannot write a fold of another shape.

/** What a macro asks of each item: `test` of all but `map`, `transform` of `map` alone. */
export interface Macro {
  readonly kind: 'exists' | 'all' | 'exists_one' | 'list';
  readonly test: Expr | undefined;
  readonly transform: Expr | undefined;
}

export function macroOf({ accuInit, loopStep }: Expr_Comprehension): Macro | undefined {
  const [first, second] = argsOf(loopStep);
  if (accuInit?.exprKind.case === 'listExpr') return listMacroOf(loopStep);
  if (accuInit?.exprKind.case !== 'constExpr') return undefined;
  const { constantKind } = accuInit.exprKind.value;
  if (constantKind.case === 'int64Value') return { kind: 'exists_one', test: first, transform: undefined };
  if (constantKind.case !== 'boolValue') return undefined;
  return { kind: constantKind.value ? 'all' : 'exists', test: second, transform: undefined };
}

/** `accu + [item]`, or `test ? accu + [item] : accu`. */
function listMacroOf(step: Expr | undefined): Macro | undefined {
  const args = argsOf(step);
  const isTested = args.length === 3;
  const [, appended] = isTested ? argsOf(args[1]) : args;
  if (appended?.exprKind.case !== 'listExpr') return undefined;
  return { kind: 'list', test: isTested ? args[0] : undefined, transform: appended.exprKind.value.elements[0] };
}

const argsOf = (expr: Expr | undefined): readonly Expr[] =>
  expr?.exprKind.case === 'callExpr' ? expr.exprKind.value.args : [];

/** The type of what a macro's variable holds; undefined when the range can be none. */
export function itemType(range: StaticType): StaticType | undefined {
  if (range.name === 'list') return elementTypeOf(range);
  if (range.name === 'map') return keyTypeOf(range);
  return range.name === 'dyn' ? DYN : undefined;
}

export interface Loop {
  readonly range: Run;
  readonly slot: number;
  /** Steps of one round, what its parts charge themselves not counted. */
  readonly cost: number;
  readonly test: Node | undefined;
  readonly transform: Node | undefined;
}

export function macroNode(expr: Expr, kind: Macro['kind'], loop: Loop): Node {
  const { test, transform } = loop;
  if (test !== undefined) requireBool(expr, test);
  if (kind === 'list') return { type: listOf(transform?.type ?? DYN), run: (scope) => collect(loop, scope) };
  const run = test?.run ?? (() => NO_RANGE);
  if (kind === 'exists_one') return { type: BOOL, run: (scope) => isOne(loop, run, scope) };
  const decides = kind === 'exists';
  return { type: BOOL, run: (scope) => quantify(loop, { run, decides }, scope) };
}

const NO_RANGE = new ExpressionError('only lists and maps can be walked');
const TOO_MANY = new ExpressionError('too many iterations');

function itemsOf({ range }: Loop, scope: Scope): readonly Value[] | ExpressionError {
  const value = range(scope);
  if (isError(value)) return value;
  if (isList(value)) return value;
  return value instanceof MapValue ? value.source.keys(scope.evaluation) : NO_RANGE;
}

/** Goes to the next item; false once the check has used up what its expressions may do. */
function enter({ evaluation, slots }: Scope, { slot, cost }: Loop, item: Value): boolean {
  evaluation.iterations -= 1;
  evaluation.work -= cost;
  slots[slot] = item;
  return !isSpent(evaluation);
}

interface Quantifier {
  readonly run: Run;
  /** The value that settles it, whatever else errs: true for `exists`, false for `all`. */
  readonly decides: boolean;
}

function quantify(loop: Loop, { run, decides }: Quantifier, scope: Scope): Result {
  const items = itemsOf(loop, scope);
  if (isError(items)) return items;
  let result: Result = !decides;
  for (const item of items) {
    if (!enter(scope, loop, item)) return TOO_MANY;
    const value = run(scope);
    if (value === decides) return decides;
    if (value !== !decides && result === !decides) result = notBool(value);
  }
  return result;
}

function isOne(loop: Loop, run: Run, scope: Scope): Result {
  const items = itemsOf(loop, scope);
  if (isError(items)) return items;
  let count = 0;
  for (const item of items) {
    if (!enter(scope, loop, item)) return TOO_MANY;
    const value = run(scope);
    if (value === true) count += 1;
    else if (value !== false) return notBool(value);
  }
  return count === 1;
}

function collect(loop: Loop, scope: Scope): Result {
  const items = itemsOf(loop, scope);
  if (isError(items)) return items;
  const list: Value[] = [];
  for (const item of items) {
    if (!enter(scope, loop, item)) return TOO_MANY;
    const isWanted = loop.test === undefined ? true : loop.test.run(scope);
    if (isWanted === false) continue;
    if (isWanted !== true) return notBool(isWanted);
    const value = loop.transform === undefined ? item : loop.transform.run(scope);
    if (isError(value)) return value;
    if (list.length >= MAX_LIST) return TOO_LONG;
    list.push(value);
  }
  return list;
}
