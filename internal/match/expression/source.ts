import { parse } from '@bufbuild/cel';
import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';

/** A parsed expression with what errors need to point into its text. */
export interface Source {
  readonly root: Expr;
  /** A sentence with where a node stands before it, as `1:12: …`, and the text's line with a caret below. */
  explain(node: Expr, message: string): string;
}

/** Longest expression, in UTF-16 units: twice the schema's bound, for callers that have none. */
export const MAX_SOURCE = 4096;
/** Deepest brackets, closed or not: the parser goes back and forth within them, longer the deeper they are. */
const MAX_BRACKETS = 64;
/** What is shown of a long line, on each side of the caret. */
const EXCERPT = 60;
const MAX_EXPECTED = 40;

/** @returns what is wrong, when the text is no expression */
export function parseSource(text: string): Source | { readonly why: string } {
  if (text.length > MAX_SOURCE) return { why: `The expression is longer than ${MAX_SOURCE} characters` };
  if (deepest(text) > MAX_BRACKETS) return { why: `The brackets of the expression nest deeper than ${MAX_BRACKETS}` };
  try {
    const { expr, sourceInfo } = parse(text);
    const positions: ReadonlyMap<string, number> = new Map(Object.entries(sourceInfo?.positions ?? {}));
    return { root: expr, explain: (node, message) => point(text, positions.get(String(node.id)) ?? 0, message) };
  } catch (error) {
    return { why: syntaxError(text, error) };
  }
}

/** What brackets do not count in: comments, names in backticks, and texts, raw ones and those with escapes. */
const UNCOUNTED =
  /\/\/[^\n]*|`[^`\n]*`|[bB]?[rR][bB]?(?:"""[\s\S]*?"""|'''[\s\S]*?'''|"[^"\n]*"|'[^'\n]*')|"""(?:\\[\s\S]|[^\\])*?"""|'''(?:\\[\s\S]|[^\\])*?'''|"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*'/g;

function deepest(text: string): number {
  let depth = 0;
  let most = 0;
  for (const char of text.replace(UNCOUNTED, '')) {
    if (char === '(' || char === '[' || char === '{') depth += 1;
    else if (char === ')' || char === ']' || char === '}') depth -= 1;
    most = Math.max(most, depth);
  }
  return most;
}

/** The parser's own sentence where it is short; it may list every token that the language has. */
function syntaxError(text: string, error: unknown): string {
  // The parser goes as deep as its text does.
  if (error instanceof RangeError) return 'The expression nests too deeply';
  const message = error instanceof Error ? error.message.replace(/^<input>:\d+:\d+: /, '') : String(error);
  const offset = offsetOf(error);
  if (offset === undefined) return message;
  const [, found, expected = ''] = /^found (.+?) but expecting (.+)$/.exec(message) ?? [];
  if (found === undefined) return point(text, offset, message);
  const isVague = expected.length > MAX_EXPECTED || expected === 'end of input';
  const hint = isVague ? '' : `: ${expected} should stand here`;
  return point(
    text,
    offset,
    found === 'end of input' ? `The expression ends too soon${hint}` : `Unexpected ${found}${hint}`,
  );
}

function offsetOf(error: unknown): number | undefined {
  if (!(error instanceof Error && 'location' in error)) return undefined;
  const { location } = error as { location?: { start?: { offset?: number } } };
  return location?.start?.offset;
}

function point(text: string, offset: number, message: string): string {
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  const line = text.slice(0, start).split('\n').length;
  const from = Math.max(start, offset - EXCERPT);
  const shown = text.slice(from, Math.min(end === -1 ? text.length : end, offset + EXCERPT));
  return `${line}:${offset - start + 1}: ${message}\n  ${shown}\n  ${' '.repeat(offset - from)}^`;
}
