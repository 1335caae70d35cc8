import { isBlank, isDigit, isHexDigit, isWordUnit, skipBlanks } from '../characters.ts';
import { TOKEN, type TokenKind } from './token-kinds.ts';
import { isFunction, kindOfWord, LONGEST_WORD, mayBeSql } from './words.ts';

/** The tokens of one value in one quoting. Behind the last one, every kind is `end`. */
export interface Tokens {
  readonly text: string;
  readonly kinds: readonly TokenKind[];
  readonly starts: readonly number[];
  readonly ends: readonly number[];
  /** Comments that stand between two words with no blank beside them. */
  readonly inlineComments: number;
  /** Characters that were looked through for the ends of comments. */
  readonly steps: number;
}

const OPERATORS: ReadonlySet<string> = new Set('= < > ! ~ + - * / % ^ & | ? # @ : .'.split(' '));
const TWO: readonly string[] = ['||', '&&'];

/**
 * Reads SQL as the databases do together: quotes with their doubled and escaped forms, `--`, `#` and nested-looking
 * comments, `/*!` as code, numbers in every spelling, keywords by a table.
 *
 * @param text in lower case
 * @param breakout the offset of the quote that ends the text of the query around the value; -1 for none around it
 */
export function tokenize(text: string, breakout = -1): Tokens {
  const reader = new Reader(text);
  if (breakout !== -1) reader.breakOut(breakout);
  while (reader.at < text.length) reader.next();
  return reader;
}

class Reader implements Tokens {
  readonly text: string;
  readonly kinds: TokenKind[] = [];
  readonly starts: number[] = [];
  readonly ends: number[] = [];
  inlineComments = 0;
  steps = 0;
  private hasClose = true;
  at = 0;

  constructor(text: string) {
    this.text = text;
  }

  breakOut(at: number): void {
    this.at = at;
    this.push(TOKEN.breakout, at + 1);
  }

  next(): void {
    const { text, at } = this;
    const unit = text.charCodeAt(at);
    if (isBlank(unit)) this.at = skipBlanks(text, at);
    else if (isDigit(unit) || (unit === 0x2e && isDigit(text.charCodeAt(at + 1)))) this.number();
    else if (unit === 0x27 || unit === 0x22 || unit === 0x60) this.string(text[at] ?? '');
    else if (isWordUnit(unit) || unit === 0x24) this.word();
    else this.punctuation(text[at] ?? '');
  }

  private push(kind: TokenKind, end: number): void {
    this.kinds.push(kind);
    this.starts.push(this.at);
    this.ends.push(end);
    this.at = end;
  }

  private number(): void {
    const { text } = this;
    let end = this.at;
    if (text[end] === '0' && (text[end + 1] === 'x' || text[end + 1] === 'b')) {
      end += 2;
      while (isHexDigit(text.charCodeAt(end))) end += 1;
    } else {
      while (isDigit(text.charCodeAt(end)) || text[end] === '.') end += 1;
      if (text[end] === 'e') {
        const digits = text[end + 1] === '-' || text[end + 1] === '+' ? end + 2 : end + 1;
        if (isDigit(text.charCodeAt(digits))) end = digits + 1;
        while (isDigit(text.charCodeAt(end))) end += 1;
      }
    }
    // What goes on in letters is a name (`5desc`, `9f86d0`), save after `1.e`, which MySQL drops.
    const isName = isWordUnit(text.charCodeAt(end)) && text[end - 1] !== '.';
    if (!isName) {
      this.push(TOKEN.number, end);
      return;
    }
    while (isWordUnit(text.charCodeAt(end))) end += 1;
    this.push(TOKEN.word, end);
  }

  private string(quote: string): void {
    const { text } = this;
    let end = this.at + 1;
    while (end < text.length) {
      const character = text[end];
      if (character === '\\') end += 2;
      else if (character !== quote) end += 1;
      else if (text[end + 1] === quote) end += 2;
      else break;
    }
    const isName = quote === '`' && end < text.length;
    this.push(isName ? TOKEN.word : TOKEN.string, Math.min(end + 1, text.length));
  }

  private word(): void {
    const { text, at } = this;
    let end = at + 1;
    while (isWordUnit(text.charCodeAt(end)) || text[end] === '$') end += 1;
    if (end - at > LONGEST_WORD || (end - at > 1 && !mayBeSql(text, at, end - at))) {
      this.push(TOKEN.word, end);
      return;
    }
    const word = text.slice(at, end);
    if (text[skipBlanks(text, end)] === '(' && isFunction(word)) {
      this.push(TOKEN.call, end);
      return;
    }
    this.push(kindOfWord(word), end);
  }

  private punctuation(character: string): void {
    const { text, at } = this;
    if (character === '(') {
      this.push(TOKEN.open, at + 1);
      return;
    }
    if (character === ')') {
      this.push(TOKEN.close, at + 1);
      return;
    }
    if (character === ',') {
      this.push(TOKEN.comma, at + 1);
      return;
    }
    if (character === ';') {
      this.push(TOKEN.semicolon, at + 1);
      return;
    }
    if (this.comment(character)) return;
    if (character === '@' && (text[at + 1] === '@' || isWordUnit(text.charCodeAt(at + 1)))) {
      this.variable();
      return;
    }
    if (text.startsWith('::', at)) {
      this.push(TOKEN.cast, at + 2);
      return;
    }
    if (TWO.some((pair) => text.startsWith(pair, at))) {
      this.push(TOKEN.logic, at + 2);
      return;
    }
    if (!OPERATORS.has(character)) {
      this.push(TOKEN.other, at + 1);
      return;
    }
    let end = at + 1;
    while (end < at + 3 && OPERATORS.has(text[end] ?? '') && !'+-.@:'.includes(text[end] ?? '')) end += 1;
    this.push(TOKEN.operator, end);
  }

  private variable(): void {
    let end = this.text[this.at + 1] === '@' ? this.at + 2 : this.at + 1;
    while (isWordUnit(this.text.charCodeAt(end)) || this.text[end] === '.') end += 1;
    this.push(TOKEN.variable, end);
  }

  /**
   * True when a comment was read. A whole one is nothing but a blank. One that runs to the end of its line is a token,
   * and what is behind it is read all the same: not every database takes `#`, or `--` without a blank, for a comment.
   */
  private comment(character: string): boolean {
    const { text, at } = this;
    const next = text[at + 1] ?? '';
    if (character === '#') return this.isHashOperator(next) ? false : this.mark(1);
    if (character === '-') return next === '-' && this.mark(2);
    if (character === '*') return next === '/' && this.mark(2);
    if (character !== '/' || next !== '*') return false;
    const hint = text[at + 2];
    if (hint === '!' || hint === '+') return this.mark(3 + countDigits(text, at + 3));
    const close = this.closeOf(at + 2);
    if (close === -1) return this.mark(2);
    this.inlineComments += isWordUnit(text.charCodeAt(at - 1)) && isWordUnit(text.charCodeAt(close + 2)) ? 1 : 0;
    this.at = close + 2;
    return true;
  }

  /** Where a comment ends; that there is no end is found out once, or `/*` after `/*` would take quadratic time. */
  private closeOf(from: number): number {
    const close = this.hasClose ? this.text.indexOf('*/', from) : -1;
    if (this.hasClose) this.steps += (close === -1 ? this.text.length : close) - from;
    this.hasClose = close !== -1;
    return close;
  }

  private mark(length: number): true {
    this.push(TOKEN.comment, this.at + length);
    return true;
  }

  /** PostgreSQL's `#>`, `#>>` and `#-`. */
  private isHashOperator(next: string): boolean {
    return next === '>' || (next === '-' && this.text[this.at + 2] !== '-');
  }
}

function countDigits(text: string, from: number): number {
  let end = from;
  while (isDigit(text.charCodeAt(end))) end += 1;
  return end - from;
}
