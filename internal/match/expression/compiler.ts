import type { Expr, Expr_Call, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { ExpressionError } from '../../core/vocabulary.ts';
import { lookupNode, type Names, unknownName } from './attributes.ts';
import { CompileError, compileCall } from './calls.ts';
import { MAX_COMPREHENSION_DEPTH, type Node, type Scope } from './node.ts';
import { MAX_NODES } from './source.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DYN,
  INT,
  join,
  listOf,
  mapOf,
  NULL,
  STRING,
  type StaticType,
  UINT,
} from './static-type.ts';
import { isError, LiteralSource, MapValue, type Result, typeNameOf, Uint, type Value } from './value.ts';

interface Local {
  readonly name: string;
  readonly slot: number;
  readonly type: StaticType;
}

const OVER_BUDGET = new ExpressionError('too many iterations');
const BAD_KEY = new ExpressionError('a map has a key twice, or one that cannot be a key');
const NO_RANGE = new ExpressionError('only lists and maps can be walked');

/** Turns a parsed expression into closures, checking types on the way. */
export class Compiler {
  readonly #names: Names;
  /** Names of attributes that the expression reads. */
  readonly attributes = new Set<string>();
  #locals: readonly Local[] = [];
  #slots = 0;
  #nodes = 0;
  #depth = 0;

  constructor(names: Names) {
    this.#names = names;
  }

  /** @throws {CompileError} with the node that is wrong */
  compile(expr: Expr): Node {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw new CompileError(expr, `The expression has more than ${MAX_NODES} parts`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return constantNode(expr);
      case 'identExpr':
        return this.#identifier(expr, exprKind.value.name);
      case 'selectExpr':
        return this.#select(expr);
      case 'callExpr':
        return this.#call(expr, exprKind.value);
      case 'listExpr':
        return listNode(exprKind.value.elements.map((element) => this.compile(element)));
      case 'structExpr':
        return this.#struct(expr);
      case 'comprehensionExpr':
        return this.#comprehension(expr, exprKind.value);
      default:
        throw new CompileError(expr, 'The expression is empty');
    }
  }

  #identifier(expr: Expr, name: string): Node {
    const local = this.#locals.findLast((candidate) => candidate.name === name);
    if (local !== undefined) {
      const { slot } = local;
      return { type: local.type, run: (scope) => scope.slots[slot] ?? null };
    }
    const node = this.#attribute(name);
    if (node === undefined) throw new CompileError(expr, unknownName(name, this.#names));
    return node;
  }

  #attribute(name: string): Node | undefined {
    const node = this.#names.resolve(name);
    if (node !== undefined) this.attributes.add(name);
    return node;
  }

  #select(expr: Expr): Node {
    if (expr.exprKind.case !== 'selectExpr') throw new CompileError(expr, 'Not a selection');
    const { operand, field, testOnly } = expr.exprKind.value;
    if (operand === undefined) throw new CompileError(expr, 'The selection has no operand');
    const path = this.#dottedPath(operand, field);
    const attribute = path === undefined || testOnly ? undefined : this.#attribute(path);
    if (attribute !== undefined) return attribute;
    if (path !== undefined && this.#names.isPrefix(path.slice(0, path.lastIndexOf('.')))) {
      throw new CompileError(expr, unknownName(path, this.#names));
    }
    const object = this.compile(operand);
    return lookupNode(expr, {
      object,
      key: { type: STRING, run: () => field, constant: field },
      names: this.#names,
      testOnly,
    });
  }

  /** `a.b` where `a` is a name of ours and no variable. */
  #dottedPath(operand: Expr, field: string): string | undefined {
    if (operand.exprKind.case !== 'identExpr') return undefined;
    const { name } = operand.exprKind.value;
    return this.#locals.some((local) => local.name === name) ? undefined : `${name}.${field}`;
  }

  #call(expr: Expr, call: Expr_Call): Node {
    if (call.function === '_[_]') {
      const [object, key] = call.args.map((arg) => this.compile(arg));
      if (object === undefined || key === undefined) throw new CompileError(expr, 'The index is missing');
      return lookupNode(expr, { object, key, names: this.#names, testOnly: false });
    }
    const target = call.target === undefined ? undefined : this.compile(call.target);
    return compileCall(expr, { name: call.function, target, args: call.args.map((arg) => this.compile(arg)) });
  }

  #struct(expr: Expr): Node {
    if (expr.exprKind.case !== 'structExpr') throw new CompileError(expr, 'Not a map');
    const { messageName, entries } = expr.exprKind.value;
    if (messageName !== '') throw new CompileError(expr, `There are no messages here: "${messageName}" cannot be made`);
    const pairs = entries.map((entry) => {
      if (entry.keyKind.case !== 'mapKey' || entry.value === undefined)
        throw new CompileError(expr, 'A map needs keys and values');
      return [this.compile(entry.keyKind.value), this.compile(entry.value)] as const;
    });
    const type = pairs.length === 0 ? DYN : pairs.map(([, value]) => value.type).reduce(join);
    return { type: mapOf(type), run: (scope) => makeMap(pairs, scope) };
  }

  /** Every macro is one loop: over the range, from a first value, while a condition holds. */
  #comprehension(expr: Expr, parts: Expr_Comprehension): Node {
    const { iterRange, accuInit, loopCondition, loopStep, result, iterVar, iterVar2, accuVar } = parts;
    if (!iterRange || !accuInit || !loopCondition || !loopStep || !result || iterVar2 !== '') {
      throw new CompileError(expr, 'Macros take one variable here');
    }
    const range = this.compile(iterRange);
    const init = this.compile(accuInit);
    if (this.#depth >= MAX_COMPREHENSION_DEPTH)
      throw new CompileError(expr, `Macros are nested deeper than ${MAX_COMPREHENSION_DEPTH}`);
    const element = elementType(range.type);
    if (element === undefined)
      throw new CompileError(expr, `Only lists and maps can be walked, not ${range.type.name}`);
    const outer = this.#locals;
    const item: Local = { name: iterVar, slot: this.#slots, type: element };
    const accumulator: Local = {
      name: accuVar,
      slot: this.#slots + 1,
      type: init.type.name === 'list' ? listOf(DYN) : init.type,
    };
    this.#slots += 2;
    this.#depth += 1;
    this.#locals = [...outer, item, accumulator];
    const condition = this.compile(loopCondition);
    const step = this.compile(loopStep);
    this.#locals = [...outer, accumulator];
    const end = this.compile(result);
    this.#locals = outer;
    this.#depth -= 1;
    const loop = { range, init, condition, step, end, item: item.slot, accumulator: accumulator.slot };
    return { type: end.type, run: (scope) => runLoop(loop, scope) };
  }
}

interface Loop {
  readonly range: Node;
  readonly init: Node;
  readonly condition: Node;
  readonly step: Node;
  readonly end: Node;
  readonly item: number;
  readonly accumulator: number;
}

function runLoop(loop: Loop, scope: Scope): Result {
  const range = loop.range.run(scope);
  if (isError(range)) return range;
  const items = Array.isArray(range)
    ? (range as readonly Value[])
    : range instanceof MapValue
      ? range.source.keys()
      : undefined;
  if (items === undefined) return NO_RANGE;
  const { slots } = scope;
  slots[loop.accumulator] = loop.init.run(scope);
  for (const item of items) {
    scope.budget -= 1;
    if (scope.budget < 0) return OVER_BUDGET;
    slots[loop.item] = item;
    if (loop.condition.run(scope) === false) break;
    slots[loop.accumulator] = loop.step.run(scope);
  }
  // An error of the budget must not be absorbed by the macro's own "or".
  return scope.budget < 0 ? OVER_BUDGET : loop.end.run(scope);
}

function elementType(range: StaticType): StaticType | undefined {
  if (range.name === 'list') return range.element ?? DYN;
  if (range.name === 'map') return DYN;
  return range.name === 'dyn' ? DYN : undefined;
}

const TYPES: Readonly<Record<string, StaticType>> = {
  null: NULL,
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
};

function constantNode(expr: Expr): Node {
  if (expr.exprKind.case !== 'constExpr') throw new CompileError(expr, 'Not a constant');
  const { constantKind } = expr.exprKind.value;
  let value: Value;
  if (constantKind.case === 'nullValue') value = null;
  else if (constantKind.case === 'uint64Value') value = new Uint(constantKind.value);
  else if (constantKind.case === 'boolValue' || constantKind.case === 'int64Value') value = constantKind.value;
  else if (
    constantKind.case === 'doubleValue' ||
    constantKind.case === 'stringValue' ||
    constantKind.case === 'bytesValue'
  )
    value = constantKind.value;
  else throw new CompileError(expr, 'This kind of constant is not offered');
  const node = { type: TYPES[typeNameOf(value)] ?? DYN, run: () => value, constant: value };
  if (typeof value !== 'bigint' || value > 2n ** 53n || value < -(2n ** 53n)) return node;
  const small = Number(value);
  return { ...node, small: () => small };
}

function listNode(elements: readonly Node[]): Node {
  const type = elements.length === 0 ? DYN : elements.map((element) => element.type).reduce(join);
  if (elements.every((element) => element.constant !== undefined)) {
    const constant = Object.freeze(elements.map((element) => element.constant ?? null));
    return { type: listOf(type), run: () => constant, constant };
  }
  return {
    type: listOf(type),
    run(scope) {
      const list: Value[] = [];
      for (const element of elements) {
        const value = element.run(scope);
        if (isError(value)) return value;
        list.push(value);
      }
      return list;
    },
  };
}

function makeMap(pairs: readonly (readonly [Node, Node])[], scope: Scope): Result {
  const source = new LiteralSource();
  for (const [keyNode, valueNode] of pairs) {
    const key = keyNode.run(scope);
    if (isError(key)) return key;
    const value = valueNode.run(scope);
    if (isError(value)) return value;
    if (!source.add(key, value)) return BAD_KEY;
  }
  return new MapValue(source);
}
