import { isDigit, isWordUnit } from '../characters.ts';
import { TRAIT } from '../traits.ts';
import { TOKEN, type TokenKind } from './token-kinds.ts';
import { isFunction, kindOfWord, LONGEST_WORD, mayBeSql } from './words.ts';

/** Signs without which, and without a word of SQL, nothing is compared, ended, chained or commented. */
const SIGNS =
  TRAIT.quote | TRAIT.less | TRAIT.greater | TRAIT.equals | TRAIT.hash | TRAIT.pipe | TRAIT.backtick | TRAIT.backslash;
/** Pairs that mean something, each of which is also looked for by its trait. */
const PAIRS: readonly (readonly [trait: number, pair: string])[] = [
  [0, '--'],
  [TRAIT.ampersand, '&&'],
  [TRAIT.slash, '/*'],
  [TRAIT.slash, '*/'],
  [TRAIT.colon, '::'],
];
/** Words that say nothing unless more than words is around them. */
const QUIET: ReadonlySet<TokenKind> = new Set<TokenKind>([
  TOKEN.word,
  TOKEN.object,
  TOKEN.type,
  TOKEN.constant,
  TOKEN.compare,
  TOKEN.from,
  TOKEN.filler,
]);

/**
 * Whether a value is words, numbers and stops in which SQL can have nothing to say, so that it need not be read as it.
 * A value that begins with a number or a sign is read if any of SQL's words is in it.
 */
export function isPlainText(text: string, traits: number): boolean {
  if ((traits & SIGNS) !== 0) return false;
  for (const [trait, pair] of PAIRS) if ((trait === 0 || (traits & trait) !== 0) && text.includes(pair)) return false;
  const hasCalls = (traits & TRAIT.paren) !== 0;
  const first = text.charCodeAt(0);
  const isHead = isDigit(first) || !isWordUnit(first);
  for (let at = 0; at < text.length; ) {
    const start = at;
    while (at < text.length && isWordUnit(text.charCodeAt(at))) at += 1;
    const length = at - start;
    if (length > 1 && length <= LONGEST_WORD && mayBeSql(text, start, length)) {
      const word = text.slice(start, at);
      const kind = kindOfWord(word);
      if (!QUIET.has(kind) || (kind !== TOKEN.word && (isHead || start === 0))) return false;
      if (hasCalls && isFunction(word)) return false;
    }
    at += 1;
  }
  return true;
}
