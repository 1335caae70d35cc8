import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { ExpressionError } from '../../core/expression-error.ts';
import { CompileError, constantNode, type Node, type Scope } from './node.ts';
import { DYN, describeType, join, listOf, mapOf, type StaticType } from './static-type.ts';
import { isError, LiteralSource, MapValue, type Result, type Value } from './value.ts';

const BAD_KEY = new ExpressionError('a map has a key twice, or one that cannot be a key');

/** `[a, b]`. */
export function literalList(elements: readonly Node[]): Node {
  const constants: Value[] = [];
  for (const { constant } of elements) if (constant !== undefined) constants.push(constant);
  if (constants.length === elements.length) return constantNode(Object.freeze(constants));
  return {
    type: listOf(joinAll(elements)),
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

const KEYS: ReadonlySet<string> = new Set(['string', 'int', 'uint', 'bool', 'dyn']);

/** `{a: b}`. */
export function literalMap(pairs: readonly (readonly [Node, Node])[], expr: Expr): Node {
  const keys = pairs.map(([key]) => key);
  const bad = keys.find(({ type }) => !KEYS.has(type.name));
  if (bad !== undefined) throw new CompileError(expr, `A ${describeType(bad.type)} cannot be a key of a map`);
  const type = mapOf(joinAll(keys), joinAll(pairs.map(([, value]) => value)));
  return { type, run: (scope) => makeMap(pairs, scope) };
}

function joinAll(nodes: readonly Node[]): StaticType {
  const [first, ...others] = nodes.map(({ type }) => type);
  return first === undefined ? DYN : others.reduce(join, first);
}

function makeMap(pairs: readonly (readonly [Node, Node])[], scope: Scope): Result {
  const source = new LiteralSource();
  for (const [keyNode, valueNode] of pairs) {
    const key = keyNode.run(scope);
    if (isError(key)) return key;
    const value = valueNode.run(scope);
    if (isError(value)) return value;
    scope.evaluation.work -= 20 + (typeof key === 'string' ? key.length >> 5 : 0);
    if (!source.add(key, value)) return BAD_KEY;
  }
  return new MapValue(source);
}
