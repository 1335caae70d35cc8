import { TOKEN, type TokenKind } from './token-kinds.ts';
import type { Tokens } from './tokens.ts';

/** Most signs before an operand, parts of a name behind it, and items of a list, that are followed. */
const MAX_PREFIXES = 6;
const MAX_PARTS = 4;

const NONE = new Int32Array(0);
const NAMES: ReadonlySet<TokenKind> = new Set([TOKEN.word, TOKEN.catalog, TOKEN.object, TOKEN.type]);
const SENTENCE: ReadonlySet<TokenKind> = new Set([TOKEN.word, TOKEN.filler, TOKEN.object, TOKEN.type]);
/** What a query may have behind its conditions. */
const TAILS = new Set(
  'for lock offset fetch option window returning with on procedure as using then else end at'.split(' '),
);
const PREFIX = new Set(['+', '-', '!', '~', '@', '+-', '-+', '!!', '!~']);
const PREFIX_WORDS = new Set(['not', 'binary', 'all', 'any', 'some', 'distinct', 'exists']);

/** Pieces of SQL's grammar over one list of tokens; each looks at a bounded number of them. */
export class Grammar {
  readonly tokens: Tokens;
  readonly #closers: Int32Array;
  /** Tokens looked at. */
  steps = 0;

  constructor(tokens: Tokens) {
    this.tokens = tokens;
    this.#closers = closersOf(tokens.kinds);
  }

  get length(): number {
    return this.tokens.kinds.length;
  }

  kind(i: number): TokenKind {
    this.steps += 1;
    return this.tokens.kinds[i] ?? TOKEN.end;
  }

  word(i: number): string {
    const { text, starts, ends } = this.tokens;
    return i < this.length && i >= 0 ? text.slice(starts[i], ends[i]) : '';
  }

  /** Whether a token is this one word or sign. */
  is(i: number, word: string): boolean {
    const { text, starts, ends } = this.tokens;
    const start = starts[i] ?? 0;
    return (ends[i] ?? 0) - start === word.length && word.length > 0 && text.startsWith(word, start);
  }

  /** Behind the parenthesis that closes the one at `i`; the end of the value where none does. */
  behindClose(i: number): number {
    const closer = this.#closers[i] ?? -1;
    return closer === -1 ? this.length : closer + 1;
  }

  isClosed(i: number): boolean {
    return (this.#closers[i] ?? -1) !== -1;
  }

  /** Behind one operand with its signs, parts, arguments and casts; -1 where there is none. */
  operand(i: number): number {
    let at = i;
    for (let k = 0; k < MAX_PREFIXES && this.#isPrefix(at); k += 1) at += 1;
    const kind = this.kind(at);
    if (kind === TOKEN.open) return this.#casts(this.behindClose(at));
    if (kind === TOKEN.call) return this.#casts(this.behindClose(at + 1));
    if (kind === TOKEN.select) return -1;
    if (kind === TOKEN.operator && this.is(at, '?')) return at + 1;
    if (NAMES.has(kind)) return this.#casts(this.#name(at));
    const isValue =
      kind === TOKEN.number || kind === TOKEN.string || kind === TOKEN.constant || kind === TOKEN.variable;
    return isValue ? this.#casts(at + 1) : -1;
  }

  /** Whether what stands at `i` can be no word of a sentence: a number, a text, a call, a parenthesis. */
  isStrong(i: number): boolean {
    let at = i;
    for (let k = 0; k < MAX_PREFIXES && this.#isPrefix(at); k += 1) at += 1;
    const kind = this.kind(at);
    return (
      kind === TOKEN.number ||
      kind === TOKEN.string ||
      kind === TOKEN.call ||
      kind === TOKEN.open ||
      kind === TOKEN.variable ||
      this.is(at, 'null') ||
      this.is(at, 'true') ||
      this.is(at, 'false')
    );
  }

  /** Behind a comparison, of signs or of words (`is not`, `not like`, `sounds like`); -1 where there is none. */
  comparison(i: number): number {
    let at = i;
    let isWord = false;
    while (at < i + 3 && (this.is(at, 'not') || this.kind(at) === TOKEN.compare)) {
      isWord ||= this.kind(at) === TOKEN.compare;
      at += 1;
    }
    if (isWord) return at;
    if (this.is(i, 'in') && this.kind(i + 1) === TOKEN.open) return i + 1;
    if (this.kind(i) !== TOKEN.operator || this.is(i, '.') || this.is(i, ':')) return -1;
    return this.kind(i + 1) === TOKEN.operator && !this.is(i + 1, '.') ? i + 2 : i + 1;
  }

  /** Whether the value, or what of it the database reads, ends here. */
  isEnd(i: number): boolean {
    const kind = this.kind(i);
    return kind === TOKEN.end || kind === TOKEN.comment || kind === TOKEN.semicolon;
  }

  /**
   * Whether a sentence goes on at `i`, in words, where a query would have an end, a connective or a clause: no database
   * would run it.
   */
  isSentence(i: number): boolean {
    const kind = this.kind(i);
    if (kind === TOKEN.compare)
      return this.comparison(i) === i + 1 && this.is(i, 'in') && this.kind(i + 1) !== TOKEN.open;
    return SENTENCE.has(kind) && !TAILS.has(this.word(i));
  }

  /** Behind `all`, `distinct`, comments and parentheses. */
  skipNoise(i: number): number {
    let at = i;
    while (at < i + MAX_PREFIXES && this.#isNoise(at)) at += 1;
    return at;
  }

  #isNoise(i: number): boolean {
    const kind = this.kind(i);
    return kind === TOKEN.open || kind === TOKEN.comment || kind === TOKEN.filler;
  }

  #isPrefix(i: number): boolean {
    const kind = this.kind(i);
    if (kind === TOKEN.operator) return PREFIX.has(this.word(i));
    return (kind === TOKEN.filler || kind === TOKEN.compare) && PREFIX_WORDS.has(this.word(i));
  }

  /** `a.b.c`, `a(…)`. */
  #name(i: number): number {
    let at = i + 1;
    for (let k = 0; k < MAX_PARTS && this.is(at, '.') && this.kind(at + 1) !== TOKEN.end; k += 1) at += 2;
    if (this.is(at, '[') && this.is(at + 2, ']')) at += 3;
    return this.kind(at) === TOKEN.open ? this.behindClose(at) : at;
  }

  #casts(i: number): number {
    let at = i;
    for (let k = 0; k < MAX_PARTS && this.kind(at) === TOKEN.cast; k += 1) at += 2;
    return at;
  }
}

/** For each opening parenthesis where its closing one is, else -1. */
function closersOf(kinds: readonly TokenKind[]): Int32Array {
  if (!kinds.includes(TOKEN.open)) return NONE;
  const closers = new Int32Array(kinds.length).fill(-1);
  const open: number[] = [];
  for (const [i, kind] of kinds.entries()) {
    if (kind === TOKEN.open) open.push(i);
    else if (kind === TOKEN.close) {
      const opener = open.pop();
      if (opener !== undefined) closers[opener] = i;
    }
  }
  return closers;
}
