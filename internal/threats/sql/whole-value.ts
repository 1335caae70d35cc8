import type { Grammar } from './grammar.ts';
import { isClause } from './statement.ts';
import { TOKEN, type TokenKind } from './token-kinds.ts';
import { isFunction } from './words.ts';

/** Longest value, in tokens, that is taken for a piece of SQL and nothing else. */
const MAX_TOKENS = 24;
const MAX_LONE = 3;
const MAX_CUT = 9;
const SIGNS: ReadonlySet<string> = new Set(['=', '!', '<', '>']);

/** What is SQL because the whole value is it, and would be a word or a piece of code within more. */
export function wholeValue(grammar: Grammar): string | undefined {
  const { length } = grammar;
  if (length === 0) return undefined;
  const kind = grammar.kind(0);
  if (kind === TOKEN.catalog && length <= 3) return 'catalog';
  if ((kind === TOKEN.number || kind === TOKEN.string) && length <= 5 && isTautology(grammar)) return 'tautology';
  // A parameter within a value, as in `a=or 1=1`, begins behind its sign.
  const head = kind === TOKEN.word && grammar.is(1, '=') ? 2 : 0;
  if (isHeadCondition(grammar, head)) return 'tautology';
  if (grammar.kind(head) === TOKEN.semicolon && grammar.kind(head + 1) === TOKEN.verb && !grammar.is(head + 1, 'set'))
    return 'stacked-query';
  if (kind === TOKEN.verb && grammar.kind(1) === TOKEN.variable) return 'statement';
  if (isAliased(grammar)) return 'fragment';
  if (isFragment(grammar)) return 'fragment';
  if (length <= MAX_LONE && isOperator(grammar)) return 'operator';
  if (isCutOff(grammar)) return 'bare-call';
  if (kind === TOKEN.call && length <= MAX_TOKENS) return calls(grammar) ? 'bare-call' : undefined;
  return undefined;
}

/** `1=1`, `42 like 42`, `1!=2`, `1 is not 2`. */
function isTautology(grammar: Grammar): boolean {
  const behind = grammar.comparison(1);
  if (behind === -1 || behind !== grammar.length - 1 || grammar.kind(behind) !== grammar.kind(0)) return false;
  const isSame = grammar.word(0) === grammar.word(behind);
  if (grammar.is(1, '=') || grammar.is(1, '<=>') || grammar.is(1, 'like')) return isSame;
  return !isSame && (grammar.is(1, '!=') || grammar.is(1, 'not') || grammar.is(2, 'not'));
}

/** A value that begins as only the rest of a condition does: `and 1=`, `|| a == '`, `or 1#`. */
function isHeadCondition(grammar: Grammar, head: number): boolean {
  if (grammar.kind(head) !== TOKEN.logic) return false;
  const start = grammar.kind(head + 1) === TOKEN.open ? head + 2 : head + 1;
  const first = grammar.operand(start);
  if (first === -1) return false;
  if (grammar.kind(start) === TOKEN.number && grammar.kind(first) === TOKEN.comment) return true;
  return grammar.kind(first) === TOKEN.operator && SIGNS.has(grammar.word(first)[0] ?? '');
}

/** `) when 234 then`, `) like (`, `in (1, 2)`, `values ('a'`, `from t where a = 1`, `, find_in_set(`. */
function isFragment(grammar: Grammar): boolean {
  const at = grammar.kind(0) === TOKEN.close ? 1 : 0;
  const next = grammar.kind(at + 1);
  if (at === 1 && grammar.is(at, 'when')) return grammar.operand(at + 1) !== -1;
  if (at === 1 && grammar.kind(at) === TOKEN.compare) return next === TOKEN.open;
  if (grammar.is(0, 'in') && next === TOKEN.open) return isList(grammar, 2) || grammar.kind(2) === TOKEN.select;
  if (grammar.is(0, 'values') && next === TOKEN.open) return isList(grammar, 2);
  if (grammar.kind(0) === TOKEN.comma && next === TOKEN.call) return grammar.kind(3) === TOKEN.string;
  if (grammar.is(0, 'procedure') && grammar.is(1, 'analyse')) return true;
  if (grammar.kind(0) !== TOKEN.from) return false;
  const table = grammar.operand(1);
  return next === TOKEN.word && table !== -1 && grammar.kind(table) === TOKEN.clause && isClause(grammar, table);
}

/** `||`, `!=`, `is null`, `not like`: a comparison and nothing that is compared. */
function isOperator(grammar: Grammar): boolean {
  if (grammar.kind(0) === TOKEN.logic) return grammar.length === 1;
  const behind = grammar.comparison(0);
  return behind !== -1 && (behind === grammar.length || grammar.kind(behind) === TOKEN.constant);
}

const isList = (grammar: Grammar, i: number): boolean =>
  (grammar.kind(i) === TOKEN.number || grammar.kind(i) === TOKEN.string) && grammar.kind(i + 1) === TOKEN.comma;

/** Cut off behind a call's parenthesis, or behind one that signs stand before: `hex(`, `length||(`, `(select`. */
function isCutOff(grammar: Grammar): boolean {
  const last = grammar.length - 1;
  if (grammar.kind(last) === TOKEN.select) return grammar.kind(last - 1) === TOKEN.open;
  if (grammar.kind(last) !== TOKEN.open || grammar.length > MAX_TOKENS) return false;
  const { starts, ends } = grammar.tokens;
  const before = grammar.kind(last - 1);
  if (before === TOKEN.call) return grammar.length === 2 || (ends[last - 1] ?? 0) === (starts[last] ?? 0);
  return grammar.length <= MAX_CUT && isFunction(grammar.word(0)) && before !== TOKEN.word && last > 1;
}

/** `) as x from`. */
const isAliased = (grammar: Grammar): boolean =>
  (grammar.kind(0) === TOKEN.close || grammar.kind(0) === TOKEN.number || grammar.word(0).startsWith('`')) &&
  grammar.is(1, 'as') &&
  grammar.kind(3) === TOKEN.from;

const LITERALS: ReadonlySet<TokenKind> = new Set<TokenKind>([
  TOKEN.number,
  TOKEN.string,
  TOKEN.call,
  TOKEN.select,
  TOKEN.variable,
]);

/** `hex(`, `sleep(5)`, `concat(0x1, …)`: a call right at its name, left open or with arguments of SQL. */
function calls(grammar: Grammar): boolean {
  const { ends, starts } = grammar.tokens;
  const isClosed = grammar.isClosed(1);
  if (!isClosed) return true;
  if ((ends[0] ?? 0) !== (starts[1] ?? 0)) return isList(grammar, 2);
  return (
    grammar.behindClose(1) === grammar.length && (LITERALS.has(grammar.kind(2)) || grammar.kind(2) === TOKEN.close)
  );
}
