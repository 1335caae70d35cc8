import type { LocatedProblem } from './parse-file.ts';

/** A problem as editors and people read it: `policies/orders.yaml:12:7: spec.authorization…: what to write (Reason)`. */
export function formatProblem({ place, path, message, reason, severity }: LocatedProblem): string {
  const word = severity === 'warning' ? 'warning: ' : '';
  const field = path === '' ? '' : `${path}: `;
  return `${place.file}:${place.line}:${place.column}: ${word}${field}${message} (${reason})`;
}

/** The same as one line: without the excerpt and the caret below the sentence. */
export const formatLine = (problem: LocatedProblem): string =>
  formatProblem({ ...problem, message: problem.message.split('\n', 1)[0] ?? '' });
