/** A token of a GraphQL document: punctuation and names as they stand, `"` for any string, `0` for any number. */
export type Token = string;

/** Most tokens and comments that are read of one request, all its documents together. */
export const MAX_GRAPHQL_TOKENS = 20_000;

const IGNORED = /[ \t\r\n,\ufeff]+/y;
const COMMENT = /#[^\r\n]*/y;
const NAME = /[_A-Za-z][_0-9A-Za-z]*/y;
const NUMBER = /-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?(?![_A-Za-z0-9.])/y;
const TEXT = /"[^"\\\r\n]*(?:\\.[^"\\\r\n]*)*"/y;
const PUNCTUATION: ReadonlySet<string> = new Set('!$&():=@[]{|}');

export interface TokenBudget {
  left: number;
}

/**
 * Parts a document into tokens (GraphQL, October 2021, §2.1).
 *
 * @param budget what may still be read, from which it takes
 * @returns undefined where something is no token; `large` where there are too many
 */
export function graphqlTokens(text: string, budget: TokenBudget): readonly Token[] | 'large' | undefined {
  const tokens: Token[] = [];
  let at = 0;
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at;
    const [found] = pattern.exec(text) ?? [];
    if (found !== undefined) at += found.length;
    return found;
  };
  for (;;) {
    match(IGNORED);
    if (at >= text.length) return tokens;
    budget.left -= 1;
    if (budget.left < 0) return 'large';
    const char = text.charAt(at);
    if (match(COMMENT) !== undefined) continue;
    if (PUNCTUATION.has(char)) {
      tokens.push(char);
      at += 1;
    } else if (text.startsWith('...', at)) {
      tokens.push('...');
      at += 3;
    } else if (text.startsWith('"""', at)) {
      at = endOfBlock(text, at + 3);
      if (at === -1) return undefined;
      tokens.push('"');
    } else if (char === '"') {
      if (match(TEXT) === undefined) return undefined;
      tokens.push('"');
    } else {
      const name = match(NAME);
      if (name === undefined && match(NUMBER) === undefined) return undefined;
      tokens.push(name ?? '0');
    }
  }
}

/** Behind the quotes that end a block; `\"""` is a part of it. */
function endOfBlock(text: string, start: number): number {
  let end = text.indexOf('"""', start);
  while (end > start && text.charAt(end - 1) === '\\') end = text.indexOf('"""', end + 3);
  return end === -1 ? -1 : end + 3;
}
