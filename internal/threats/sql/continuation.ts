import type { Grammar } from './grammar.ts';
import { isSelection, isStatement } from './statement.ts';
import { TOKEN } from './token-kinds.ts';

/** Signs that compare; `Apache-2.0` has none. */
const COMPARES = /[=<>!~a-z]/;
/** Longest text, and without a blank, that may end a value behind a breakout: `' or 'a`. */
const MAX_LOOSE_TEXT = 24;

/**
 * What the query goes on with at `i`, right behind what the value was meant to be: behind a quote that ends a text, or
 * behind a first number or name.
 *
 * @param isQuoted behind a quote: there, names alone are enough
 * @returns the rule, or undefined
 */
export function continuationAt(grammar: Grammar, i: number, isQuoted: boolean): string | undefined {
  switch (grammar.kind(i)) {
    case TOKEN.logic:
      return condition(grammar, i, isQuoted);
    case TOKEN.union:
      return union(grammar, i, isQuoted);
    case TOKEN.semicolon:
      return stacked(grammar, i, isQuoted);
    case TOKEN.comment:
      return isQuoted && endsQuery(grammar, i) ? 'comment-break' : undefined;
    case TOKEN.operator:
      return isQuoted ? calculation(grammar, i) : undefined;
    case TOKEN.compare:
    case TOKEN.filler:
      return isQuoted ? comparison(grammar, i) : undefined;
    case TOKEN.clause:
      return clause(grammar, i);
    case TOKEN.open:
      return grammar.kind(grammar.skipNoise(i)) === TOKEN.select ? 'subquery' : undefined;
    case TOKEN.verb:
      return isQuoted && isStatement(grammar, i) ? 'stacked-query' : undefined;
    case TOKEN.select:
      return isQuoted && (isStatement(grammar, i) || isCutOff(grammar, i)) ? 'stacked-query' : undefined;
    case TOKEN.from:
      return isQuoted && grammar.kind(i + 1) === TOKEN.end ? 'fragment' : undefined;
    case TOKEN.catalog:
      return isQuoted && grammar.tokens.starts[0] === 0 && grammar.length <= 3 && isLoose(grammar, i + 1)
        ? 'catalog'
        : undefined;
    default:
      return undefined;
  }
}

function union(grammar: Grammar, i: number, isQuoted: boolean): string | undefined {
  const at = grammar.skipNoise(i + 1);
  if (grammar.kind(at) !== TOKEN.select) return undefined;
  return isQuoted || grammar.isEnd(at + 1) || isSelection(grammar, at, true) ? 'union-select' : undefined;
}

/** `or 1=1`, `and sleep(5)`, `or 'a`, `or email--`. */
function condition(grammar: Grammar, i: number, isQuoted: boolean): string | undefined {
  const first = grammar.operand(i + 1);
  if (first === -1) return isQuoted && grammar.kind(i + 1) === TOKEN.comment ? 'comment-break' : undefined;
  const isStrong = grammar.isStrong(i + 1);
  if (!isQuoted && i === 1 && grammar.kind(i + 1) === TOKEN.constant && grammar.isEnd(first)) return 'tautology';
  if (isStrong && isSubquery(grammar, i + 1)) return 'subquery';
  const middle = grammar.comparison(first);
  if (middle !== -1) {
    const last = grammar.operand(middle);
    const isSure = isQuoted || isStrong || (grammar.isStrong(middle) && COMPARES.test(grammar.word(first)));
    if (isSure && last !== -1 && !grammar.isSentence(last)) return 'tautology';
    if (isQuoted && grammar.isEnd(middle) && grammar.kind(middle) !== TOKEN.end) return 'tautology';
    return undefined;
  }
  if (grammar.kind(i + 1) === TOKEN.call && (isQuoted || grammar.isClosed(i + 2))) return 'tautology';
  if (!isQuoted) return undefined;
  if (grammar.kind(first) === TOKEN.comment || grammar.kind(first) === TOKEN.semicolon) return 'tautology';
  return grammar.kind(first) === TOKEN.end && isStrong && isLoose(grammar, i + 1) ? 'tautology' : undefined;
}

function stacked(grammar: Grammar, i: number, isQuoted: boolean): string | undefined {
  if (isStatement(grammar, i + 1)) return 'stacked-query';
  if (isQuoted && isCutOff(grammar, i + 1)) return 'stacked-query';
  if (!isQuoted) return undefined;
  const next = grammar.kind(i + 1);
  return next === TOKEN.end || next === TOKEN.comment ? 'quote-semicolon' : undefined;
}

/** `'||(select …`, `'-email--`, `'=sleep(5)='`. */
function calculation(grammar: Grammar, i: number): string | undefined {
  const behind = grammar.comparison(i);
  if (behind === -1) return undefined;
  const kind = grammar.kind(behind);
  const last = grammar.operand(behind);
  if (last === -1) return undefined;
  if (isSubquery(grammar, behind)) return 'subquery';
  if (grammar.kind(last) === TOKEN.comment && endsQuery(grammar, last)) return 'calculation';
  if (kind === TOKEN.call && grammar.isClosed(behind + 1)) return 'calculation';
  const next = grammar.kind(last);
  const isJoined = next === TOKEN.string || next === TOKEN.operator;
  return isJoined &&
    isLoose(grammar, last) &&
    (kind === TOKEN.number || kind === TOKEN.variable) &&
    last < grammar.length
    ? 'calculation'
    : undefined;
}

/** `' like '%'`, `' is not null--`, `'collate nocase--`. */
function comparison(grammar: Grammar, i: number): string | undefined {
  if (grammar.is(i, 'as') && grammar.kind(i + 2) === TOKEN.from) return 'fragment';
  const behind = grammar.comparison(i);
  if (behind === -1) return undefined;
  const previous = grammar.word(behind - 1);
  if ((previous === 'notnull' || previous === 'isnull') && grammar.isEnd(behind)) return 'comparison';
  const last = grammar.operand(behind);
  if (last === -1) {
    const isBacktick = grammar.is(0, '`') && grammar.kind(behind) === TOKEN.end;
    return isBacktick || grammar.kind(behind) === TOKEN.comment ? 'comparison' : undefined;
  }
  const next = grammar.kind(last);
  if (next === TOKEN.comment || next === TOKEN.semicolon) return 'comparison';
  // A quoted word, as `"in"`, ends with the quote that it began with.
  const isBegun = grammar.kind(behind) !== TOKEN.string || grammar.word(behind).length > 1;
  return next === TOKEN.end && isBegun && grammar.isStrong(behind) && isLoose(grammar, behind)
    ? 'comparison'
    : undefined;
}

/** `order by 5`, `having 1=1`, `limit 1,1`, `into outfile '…'`, `where 1=1`. */
function clause(grammar: Grammar, i: number): string | undefined {
  const word = grammar.word(i);
  if (word === 'order' || word === 'group') {
    const operand = i + 2;
    if (!grammar.is(i + 1, 'by') || grammar.operand(operand) === -1) return undefined;
    const isSure = grammar.isStrong(operand) && grammar.kind(operand) !== TOKEN.string;
    return isSure || grammar.kind(grammar.operand(operand)) === TOKEN.comment ? 'clause' : undefined;
  }
  if (word === 'into')
    return grammar.kind(i + 1) === TOKEN.filler && grammar.kind(i + 2) === TOKEN.string ? 'file' : undefined;
  const first = grammar.operand(i + 1);
  if (first === -1) return undefined;
  if (word === 'limit') return grammar.kind(i + 1) === TOKEN.number && grammar.isEnd(first) ? 'clause' : undefined;
  const middle = grammar.comparison(first);
  return middle !== -1 && (grammar.isStrong(i + 1) || grammar.isStrong(middle)) ? 'clause' : undefined;
}

/** `select p`, and no more. */
const isCutOff = (grammar: Grammar, i: number): boolean =>
  grammar.kind(i) === TOKEN.select && grammar.kind(i + 1) === TOKEN.word && grammar.kind(i + 2) === TOKEN.end;

const isSubquery = (grammar: Grammar, i: number): boolean =>
  grammar.kind(i) === TOKEN.open && grammar.kind(grammar.skipNoise(i)) === TOKEN.select;

/** A text that is not a sentence that goes on. */
function isLoose(grammar: Grammar, i: number): boolean {
  if (grammar.kind(i) !== TOKEN.string) return true;
  const text = grammar.word(i);
  return text.length <= MAX_LOOSE_TEXT && !text.includes(' ');
}

/** A comment that nothing of the same text follows: `--flag"` or `#fff'` are none. */
function endsQuery(grammar: Grammar, i: number): boolean {
  const { text, starts, ends } = grammar.tokens;
  const start = starts[i] ?? 0;
  const next = text.charCodeAt(ends[i] ?? 0);
  if (Number.isNaN(next) || next === 0x0a) return true;
  if (grammar.kind(grammar.length - 1) === TOKEN.string) return false;
  if (next <= 0x20) return true;
  return text[start] !== '#';
}
