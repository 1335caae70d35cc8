import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { arithmetic, negate, type Operator } from './arithmetic.ts';
import { CompileError, type Node } from './node.ts';
import { DURATION, DYN, describeType, isNumeric, join, type StaticType, TIMESTAMP } from './static-type.ts';
import { isError } from './value.ts';

const ARITHMETIC: ReadonlySet<string> = new Set<Operator>(['_+_', '_-_', '_*_', '_/_', '_%_']);
export const isArithmetic = (name: string): name is Operator => ARITHMETIC.has(name);

export function negation(expr: Expr, { type, run }: Node): Node {
  if (type.name !== 'dyn' && type.name !== 'int' && type.name !== 'double')
    throw new CompileError(expr, `There is no "-" for ${describeType(type)}`);
  return {
    type,
    run(scope) {
      const value = run(scope);
      return isError(value) ? value : negate(value);
    },
  };
}

export function arithmeticNode(expr: Expr, [left, right]: readonly [Node, Node], operator: Operator): Node {
  const type = arithmeticType(left.type, right.type, operator);
  if (type === undefined) {
    const sides = `${describeType(left.type)} and ${describeType(right.type)}`;
    throw new CompileError(expr, `There is no "${operator.charAt(1)}" for ${sides}`);
  }
  const { run: runLeft } = left;
  const { run: runRight } = right;
  return {
    type,
    run(scope) {
      const a = runLeft(scope);
      if (isError(a)) return a;
      const b = runRight(scope);
      return isError(b) ? b : arithmetic(operator, [a, b], scope.evaluation);
    },
  };
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
