import type { Constant, Expr, Expr_Call, Expr_Comprehension } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { compileCall } from './calls.ts';
import { TYPE_WORDS } from './conversion.ts';
import { DearParts } from './dear-parts.ts';
import { literalList, literalMap } from './literal.ts';
import { itemType, macroNode, macroOf } from './macro.ts';
import { lookupNode } from './member.ts';
import { type Names, unknownName } from './names.ts';
import { CompileError, constantNode, MAX_MACRO_NESTING, MAX_NESTING, MAX_NODES, type Node } from './node.ts';
import { describeType, type StaticType } from './static-type.ts';
import { TypeValue, Uint, type Value } from './value.ts';

/** Steps of a round of a macro, and of each part of what it does in it: measured. */
const ROUND_COST = 4;
const PART_COST = 3;

interface Local {
  readonly name: string;
  readonly slot: number;
  readonly type: StaticType;
}

/** Turns a parsed expression into closures, checking types on the way. */
export class Compiler {
  readonly #names: Names;
  /** Names of attributes that the expression reads. */
  readonly attributes = new Set<string>();
  /** What is still to be made of it once it is compiled. */
  readonly dear = new DearParts();
  /** Variables of the macros around, the innermost last; its length is how deep they nest. */
  #locals: readonly Local[] = [];
  #nodes = 0;
  #nesting = 0;

  constructor(names: Names) {
    this.#names = names;
  }

  /** @throws {CompileError} with the node that is wrong */
  compile(expr: Expr): Node {
    this.#nesting += 1;
    if (this.#nesting > MAX_NESTING) throw new CompileError(expr, `The expression nests deeper than ${MAX_NESTING}`);
    const node = this.#part(expr);
    this.#nesting -= 1;
    return node;
  }

  /** One part; the parts of a chain (`a.b.c`, `a || b || c`) do not nest. */
  #part(expr: Expr): Node {
    this.#nodes += 1;
    if (this.#nodes > MAX_NODES) throw new CompileError(expr, `The expression has more than ${MAX_NODES} parts`);
    const { exprKind } = expr;
    switch (exprKind.case) {
      case 'constExpr':
        return constantNode(constantOf(expr, exprKind.value));
      case 'identExpr':
        return this.#identifier(expr, exprKind.value.name);
      case 'selectExpr':
        return this.#select(expr);
      case 'callExpr':
        return this.#call(expr, exprKind.value);
      case 'listExpr':
        return literalList(exprKind.value.elements.map((element) => this.compile(element)));
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
    if (node !== undefined) return node;
    if (TYPE_WORDS.has(name)) return constantNode(new TypeValue(name));
    throw new CompileError(expr, unknownName(name, this.#names));
  }

  #attribute(name: string): Node | undefined {
    const node = this.#names.resolve(name);
    if (node !== undefined) this.attributes.add(name);
    return node;
  }

  #select(expr: Expr): Node {
    if (expr.exprKind.case !== 'selectExpr') throw new CompileError(expr, 'This is no selection');
    const { operand, field, testOnly } = expr.exprKind.value;
    if (operand === undefined) throw new CompileError(expr, 'The selection has no operand');
    const path = this.#dottedPath(operand);
    if (path !== undefined) {
      const name = `${path}.${field}`;
      const attribute = this.#attribute(name);
      if (attribute !== undefined && !testOnly) return attribute;
      if (attribute !== undefined) throw new CompileError(expr, `"${name}" is always there: compare it with null`);
      if (TYPE_WORDS.has(name)) return constantNode(new TypeValue(name));
      if (this.#names.isPrefix(path)) throw new CompileError(expr, unknownName(name, this.#names));
    }
    return lookupNode(expr, { object: this.#part(operand), key: constantNode(field), testOnly });
  }

  /** `a.b` as written, unless `a` is a macro's variable. */
  #dottedPath({ exprKind }: Expr): string | undefined {
    if (exprKind.case === 'identExpr') {
      const { name } = exprKind.value;
      return this.#locals.some((local) => local.name === name) ? undefined : name;
    }
    if (exprKind.case !== 'selectExpr' || exprKind.value.operand === undefined) return undefined;
    const path = this.#dottedPath(exprKind.value.operand);
    return path === undefined ? undefined : `${path}.${exprKind.value.field}`;
  }

  #call(expr: Expr, call: Expr_Call): Node {
    if (call.function === '_[_]') {
      const [object, key] = call.args;
      if (object === undefined || key === undefined) throw new CompileError(expr, 'The index is missing');
      return lookupNode(expr, { object: this.#part(object), key: this.compile(key), testOnly: false });
    }
    this.#checkDash(expr, call);
    const target = call.target === undefined ? undefined : this.#part(call.target);
    const args = call.args.map((arg) => (isSameOperator(arg, call) ? this.#part(arg) : this.compile(arg)));
    return compileCall(expr, { name: call.function, target, args, dear: this.dear });
  }

  /** `request.headers.x-tenant` is a subtraction; its author meant a name. */
  #checkDash(expr: Expr, { function: name, args: [left, right] }: Expr_Call): void {
    const path = name === '_-_' && left !== undefined ? this.#dottedPath(left) : undefined;
    if (path === undefined || right?.exprKind.case !== 'identExpr') return;
    const dot = path.lastIndexOf('.');
    const map = path.slice(0, Math.max(0, dot));
    if (this.#names.resolve(map)?.map === undefined) return;
    const key = `${path.slice(dot + 1)}-${right.exprKind.value.name}`;
    throw new CompileError(expr, `"-" is a minus here: write ${map}['${key}']`);
  }

  #struct(expr: Expr): Node {
    if (expr.exprKind.case !== 'structExpr') throw new CompileError(expr, 'This is no map');
    const { messageName, entries } = expr.exprKind.value;
    if (messageName !== '') throw new CompileError(expr, `There are no messages here: "${messageName}" cannot be made`);
    return literalMap(
      entries.map((entry) => {
        if (entry.keyKind.case !== 'mapKey' || entry.value === undefined)
          throw new CompileError(expr, 'A map needs keys and values');
        return [this.compile(entry.keyKind.value), this.compile(entry.value)] as const;
      }),
      expr,
    );
  }

  #comprehension(expr: Expr, parts: Expr_Comprehension): Node {
    const macro = macroOf(parts);
    if (macro === undefined || parts.iterRange === undefined || parts.iterVar2 !== '')
      throw new CompileError(expr, 'Macros take one variable here');
    const range = this.compile(parts.iterRange);
    const type = itemType(range.type);
    if (type === undefined)
      throw new CompileError(expr, `Only lists and maps can be walked, not ${describeType(range.type)}`);
    const outer = this.#locals;
    const slot = outer.length;
    if (slot >= MAX_MACRO_NESTING) throw new CompileError(expr, `Macros nest deeper than ${MAX_MACRO_NESTING}`);
    this.#locals = [...outer, { name: parts.iterVar, slot, type }];
    const before = this.#nodes;
    const test = macro.test && this.compile(macro.test);
    const transform = macro.transform && this.compile(macro.transform);
    this.#locals = outer;
    const cost = ROUND_COST + PART_COST * (this.#nodes - before);
    return macroNode(expr, macro.kind, { range: range.run, slot, cost, test, transform });
  }
}

const isSameOperator = ({ exprKind }: Expr, call: Expr_Call): boolean =>
  exprKind.case === 'callExpr' && exprKind.value.function === call.function && call.target === undefined;

function constantOf(expr: Expr, { constantKind }: Constant): Value {
  switch (constantKind.case) {
    case 'nullValue':
      return null;
    case 'uint64Value':
      return new Uint(constantKind.value);
    case 'boolValue':
    case 'int64Value':
    case 'doubleValue':
    case 'stringValue':
    case 'bytesValue':
      return constantKind.value;
    default:
      throw new CompileError(expr, 'This kind of constant is not offered');
  }
}
