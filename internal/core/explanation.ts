// Words of a policy in the cause of a refusal: one line, and no longer than a reader needs.
import type { ExpressionError } from './expression-error.ts';

/** Characters of an expression's text that are shown. */
const MAX_SOURCE = 160;

/** Text as one line of bounded length. */
export function bounded(text: string, most = MAX_SOURCE): string {
  const line = text.replace(/\s+/g, ' ').trim();
  return line.length > most ? `${line.slice(0, most)}…` : line;
}

/** Which expression has no value, and why: its own text and the error's, neither of which holds a value of the request. */
export const describeError = (source: string, { message }: ExpressionError): string => `${bounded(source)}: ${message}`;
