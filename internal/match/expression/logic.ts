import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import { ExpressionError } from '../../core/expression-error.ts';
import { CompileError, type Node, type Run, type RunSmall } from './node.ts';
import { BOOL, describeType, join } from './static-type.ts';
import { isError, type Result } from './value.ts';

const NOT_BOOL = new ExpressionError('a condition is not a bool');

export function requireBool(expr: Expr, node: Node): void {
  if (node.type.name === 'bool' || node.type.name === 'dyn') return;
  throw new CompileError(expr, `A condition must be a bool, not ${describeType(node.type)}`);
}

/** What stands in the way of a bool: the error itself, or that the value is none. */
export const notBool = (value: Result): ExpressionError => (isError(value) ? value : NOT_BOOL);

/** `&&` and `||`: the deciding value settles it, whatever the other side does, an error included. */
export function logical(expr: Expr, [left, right]: readonly [Node, Node], decides: boolean): Node {
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
      if (a !== !decides) return notBool(a);
      return b === !decides ? b : notBool(b);
    },
  };
}

export function conditional(expr: Expr, [test, yes, no]: readonly [Node, Node, Node]): Node {
  requireBool(expr, test);
  const node = { type: join(yes.type, no.type), run: branch(test.run, yes.run, no.run) };
  return yes.small && no.small ? { ...node, small: smallBranch(test.run, yes.small, no.small) } : node;
}

function branch(test: Run, yes: Run, no: Run): Run {
  return (scope) => {
    const value = test(scope);
    if (value === true) return yes(scope);
    return value === false ? no(scope) : notBool(value);
  };
}

function smallBranch(test: Run, yes: RunSmall, no: RunSmall): RunSmall {
  return (scope) => {
    const value = test(scope);
    if (value === true) return yes(scope);
    return value === false ? no(scope) : notBool(value);
  };
}

export function not(expr: Expr, node: Node): Node {
  requireBool(expr, node);
  const { run } = node;
  return {
    type: BOOL,
    run(scope) {
      const value = run(scope);
      return typeof value === 'boolean' ? !value : notBool(value);
    },
  };
}
