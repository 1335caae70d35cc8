import type { ProblemList } from '../core/problem.ts';

/** Most characters of all expressions of one object together: they are compiled beside checks, step by step. */
export const MAX_EXPRESSION_TEXT = 65_536;

/** Refuses a policy, or overrides, whose expressions are too much to compile; true when they may be. */
export function checkExpressionSize(spec: object, what: 'policy' | 'overrides', problems: ProblemList): boolean {
  const size = expressionText(spec);
  if (size <= MAX_EXPRESSION_TEXT) return true;
  const split = what === 'policy' ? 'split the policy by paths' : 'make two baselines';
  problems.error(
    'Invalid',
    `The expressions of the ${what} have ${size} characters together, at most ${MAX_EXPRESSION_TEXT} are allowed: shorten them, or ${split}`,
  );
  return false;
}

/** Characters of all fields named `expression`. */
function expressionText(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let size = 0;
  for (const [name, inner] of Object.entries(value)) {
    size += name === 'expression' && typeof inner === 'string' ? inner.length : expressionText(inner);
  }
  return size;
}
