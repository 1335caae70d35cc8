import type { LocatedProblem } from './parse-file.ts';

/** A problem as editors and people read it: `policies/orders.yaml:12:7: spec.authorization…: what to write (Reason)`. */
export function formatProblem({ place, path, message, reason, severity }: LocatedProblem): string {
  const word = severity === 'warning' ? 'warning: ' : '';
  const field = path === '' ? '' : `${path}: `;
  return `${place.file}:${place.line}:${place.column}: ${word}${field}${message} (${reason})`;
}
