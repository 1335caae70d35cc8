import { isDigit, skipBlanks } from '../characters.ts';
import type { Grammar } from './grammar.ts';
import { isSelection, isStatement } from './statement.ts';
import { TOKEN, type TokenKind } from './token-kinds.ts';

/** Functions that do nothing but hold the database, or read its files. */
const TELLING: ReadonlySet<string> = new Set(
  'sleep benchmark pg_sleep load_file extractvalue updatexml lo_get lo_import pg_read_file xmltype load_extension'.split(
    ' ',
  ),
);
/** Kinds behind which an expression begins, where no sentence would have a call. */
const BEFORE_EXPRESSION: ReadonlySet<TokenKind> = new Set<TokenKind>([
  TOKEN.breakout,
  TOKEN.string,
  TOKEN.number,
  TOKEN.logic,
  TOKEN.select,
  TOKEN.operator,
  TOKEN.open,
  TOKEN.close,
  TOKEN.comma,
  TOKEN.semicolon,
  TOKEN.clause,
  TOKEN.constant,
  TOKEN.comment,
]);
const JSON_OPERATORS: ReadonlySet<string> = new Set([
  '@',
  '@>',
  '<@',
  '->',
  '->>',
  '#>',
  '#>>',
  '#-',
  '?',
  '?|',
  '?&',
  '@?',
  '-',
  '<',
  '>',
]);

/** What is SQL wherever in a value it stands, from the token at `i` on. */
export function findingAt(grammar: Grammar, i: number): string | undefined {
  switch (grammar.kind(i)) {
    case TOKEN.union:
      return union(grammar, i);
    case TOKEN.call:
      return call(grammar, i);
    case TOKEN.from:
      return grammar.kind(i + 1) === TOKEN.catalog || grammar.is(i + 1, '`information_schema`') ? 'catalog' : undefined;
    case TOKEN.verb:
      if (grammar.is(i, 'waitfor') && grammar.is(i + 1, 'delay') && grammar.kind(i + 2) === TOKEN.string)
        return 'statement';
      return begins(grammar, i) && isStatement(grammar, i) ? 'statement' : undefined;
    case TOKEN.select:
      return begins(grammar, i) && isSelection(grammar, i, false) ? 'statement' : undefined;
    case TOKEN.clause:
      return clause(grammar, i);
    case TOKEN.cast:
      return cast(grammar, i);
    case TOKEN.string:
      return json(grammar, i);
    case TOKEN.comment:
      return hint(grammar, i);
    case TOKEN.number:
      return scientific(grammar, i);
    case TOKEN.logic:
      return sameOperands(grammar, i);
    default:
      return undefined;
  }
}

/** A statement begins where nothing, or the end of another, is before it. */
function begins(grammar: Grammar, i: number): boolean {
  if (i === 0 || (i === 1 && grammar.kind(0) === TOKEN.operator)) return true;
  const before = grammar.kind(i - 1);
  return before === TOKEN.semicolon || before === TOKEN.open || before === TOKEN.close || before === TOKEN.comment;
}

function union(grammar: Grammar, i: number): string | undefined {
  const at = grammar.skipNoise(i + 1);
  const before = i === 0 ? TOKEN.breakout : grammar.kind(i - 1);
  if (grammar.is(i + 1, 'values')) return before !== TOKEN.word ? 'union-select' : undefined;
  if (grammar.kind(at) !== TOKEN.select) return undefined;
  const isPlaced = before !== TOKEN.word && before !== TOKEN.filler;
  return isSelection(grammar, at, true) || (isPlaced && grammar.isEnd(at + 1)) ? 'union-select' : undefined;
}

function call(grammar: Grammar, i: number): string | undefined {
  const name = grammar.word(i);
  const isPlaced = i === 0 || BEFORE_EXPRESSION.has(grammar.kind(i - 1));
  // Without an argument it does nothing, and is spoken of.
  if (grammar.kind(i + 2) === TOKEN.close) return undefined;
  if (TELLING.has(name) && (isPlaced || grammar.kind(i - 1) === TOKEN.from)) return 'telling-call';
  return undefined;
}

function clause(grammar: Grammar, i: number): string | undefined {
  if (grammar.is(i, 'into') && grammar.kind(i + 1) === TOKEN.filler && grammar.kind(i + 2) === TOKEN.string)
    return 'file';
  if (!grammar.is(i, 'when') || !grammar.is(i - 1, 'case')) return undefined;
  const first = grammar.operand(i + 1);
  if (first === -1) return undefined;
  const isSure = grammar.isStrong(i + 1) || grammar.comparison(first) !== -1 || grammar.is(first, 'then');
  return isSure ? 'conditional' : undefined;
}

/** `password::int`, at the end of an expression: C++ and Rust go on in a name. */
function cast(grammar: Grammar, i: number): string | undefined {
  if (i === 0 || grammar.kind(i + 1) !== TOKEN.type) return undefined;
  const before = grammar.kind(i - 1);
  if (before === TOKEN.other || before === TOKEN.cast) return undefined;
  const after = grammar.kind(i + 2);
  return after === TOKEN.open ? undefined : 'cast';
}

/** `'{"a":1}'::jsonb @> '…'`. */
function json(grammar: Grammar, i: number): string | undefined {
  let at = i + 1;
  const isCast = grammar.kind(at) === TOKEN.cast;
  if (isCast) at += 2;
  const isJson = isCast || grammar.word(i)[1] === '{' || grammar.word(i)[1] === '[';
  if (
    !isJson ||
    (!isCast &&
      i > 0 &&
      grammar.kind(i - 1) !== TOKEN.logic &&
      grammar.kind(i - 1) !== TOKEN.breakout &&
      !grammar.is(i - 1, '='))
  )
    return undefined;
  if (!JSON_OPERATORS.has(grammar.word(at)) && grammar.kind(at) !== TOKEN.logic) return undefined;
  return grammar.operand(at + 1) !== -1 || grammar.kind(at + 1) === TOKEN.operator ? 'json-operator' : undefined;
}

/** MySQL's conditional comments, whose inside it runs. */
function hint(grammar: Grammar, i: number): string | undefined {
  if (!grammar.is(i, '/*!') && !grammar.word(i).startsWith('/*!') && !grammar.is(i, '/*+')) return undefined;
  const { text, ends } = grammar.tokens;
  const next = text[skipBlanks(text, ends[i] ?? 0)];
  return next === undefined || next === '*' ? undefined : 'conditional-comment';
}

/** `1.e(ascii …`: MySQL drops the number. */
function scientific(grammar: Grammar, i: number): string | undefined {
  const word = grammar.word(i);
  if (!word.endsWith('.') || !isDigit(word.charCodeAt(0))) return undefined;
  return grammar.is(i + 1, 'e') && (grammar.kind(i + 2) === TOKEN.open || grammar.is(i + 2, '.'))
    ? 'scientific'
    : undefined;
}

/** `or 1=1`, `and 'a'='a'`, anywhere. */
function sameOperands(grammar: Grammar, i: number): string | undefined {
  const kind = grammar.kind(i + 1);
  if ((kind !== TOKEN.number && kind !== TOKEN.string) || !grammar.is(i + 2, '=')) return undefined;
  if (grammar.kind(i + 3) !== kind) return undefined;
  const [left, right] = [grammar.word(i + 1), grammar.word(i + 3)];
  if (grammar.isSentence(i + 4)) return undefined;
  return left === right || (kind === TOKEN.string && right === left.slice(0, -1)) ? 'tautology' : undefined;
}
