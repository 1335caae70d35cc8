import { parse } from '@bufbuild/cel';
import type { Expr, ParsedExpr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';

/** A parsed expression with what errors need to point into its text. */
export interface Source {
  readonly text: string;
  readonly root: Expr;
  /** Where a node stands, as `1:12`, followed on lines of their own by the text's line and a caret. */
  locate(node: Expr): string;
}

export const MAX_NODES = 1000;

/** @returns what is wrong, when the text is no expression */
export function parseSource(text: string): Source | { readonly why: string } {
  let parsed: ParsedExpr & { expr: Expr };
  try {
    parsed = parse(text);
  } catch (error) {
    const at = (error as { location?: { start?: { offset?: number } } }).location?.start?.offset;
    const why = error instanceof Error ? error.message.replace(/^<input>:\d+:\d+: /, '') : String(error);
    return { why: at === undefined ? why : `${position(text, at)}: ${why}${excerpt(text, at)}` };
  }
  const positions = parsed.sourceInfo?.positions ?? {};
  return {
    text,
    root: parsed.expr,
    locate(node) {
      const at = (positions as Record<string, number>)[String(node.id)] ?? 0;
      return `${position(text, at)}${excerpt(text, at)}`;
    },
  };
}

function position(text: string, offset: number): string {
  const before = text.slice(0, offset).split('\n');
  return `${before.length}:${(before.at(-1)?.length ?? 0) + 1}`;
}

function excerpt(text: string, offset: number): string {
  if (text.length > 200) return '';
  const start = text.lastIndexOf('\n', offset - 1) + 1;
  const end = text.indexOf('\n', offset);
  return `\n  ${text.slice(start, end === -1 ? undefined : end)}\n  ${' '.repeat(offset - start)}^`;
}
