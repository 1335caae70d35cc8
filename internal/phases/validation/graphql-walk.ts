import type { Token } from './graphql-tokens.ts';

/** What a selection set costs, and which fragments it takes in. */
export interface Selected {
  /** Fields in each other. */
  depth: number;
  aliases: number;
  readonly spreads: { readonly fragment: string; readonly depth: number }[];
}

export interface GraphqlDocument {
  readonly operations: readonly Selected[];
  readonly fragments: ReadonlyMap<string, Selected>;
}

/** Deepest nesting of braces that is read. */
export const MAX_GRAPHQL_DEPTH = 128;

const OPERATIONS: ReadonlySet<Token> = new Set(['query', 'mutation', 'subscription']);
const IS_NAME = /^[_A-Za-z]/;
const CLOSES: Readonly<Record<Token, Token>> = { '(': ')', '[': ']', '{': '}' };

/** Thrown inside of the walk, and nowhere beyond it. */
class NoDocument extends Error {}

/**
 * Reads an executable document: operations and fragments, what they select, how deep. Values and types are skipped.
 *
 * @returns undefined where it is none
 */
export function graphqlDocument(tokens: readonly Token[]): GraphqlDocument | undefined {
  try {
    return new Walk(tokens).document();
  } catch (error) {
    if (error instanceof NoDocument) return undefined;
    throw error;
  }
}

class Walk {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  document(): GraphqlDocument {
    const operations: Selected[] = [];
    const fragments = new Map<string, Selected>();
    while (this.#peek() !== undefined) {
      if (this.#peek() === 'fragment') {
        const [name, fragment] = this.#fragment();
        if (fragments.has(name)) throw new NoDocument();
        fragments.set(name, fragment);
      } else operations.push(this.#operation());
    }
    if (operations.length === 0) throw new NoDocument();
    return { operations, fragments };
  }

  #operation(): Selected {
    if (this.#peek() !== '{') {
      if (!OPERATIONS.has(this.#next())) throw new NoDocument();
      if (IS_NAME.test(this.#peek() ?? '')) this.#next();
      if (this.#peek() === '(') this.#skipBracket();
      this.#directives();
    }
    return this.#selection();
  }

  #fragment(): [string, Selected] {
    this.#next();
    const name = this.#name();
    if (name === 'on' || this.#next() !== 'on') throw new NoDocument();
    this.#name();
    this.#directives();
    return [name, this.#selection()];
  }

  #selection(): Selected {
    const selected: Selected = { depth: 0, aliases: 0, spreads: [] };
    this.#set(selected, 1, 1);
    return selected;
  }

  /** @param depth of its fields @param braces that are open, those of inline fragments too */
  #set(selected: Selected, depth: number, braces: number): void {
    if (braces > MAX_GRAPHQL_DEPTH || this.#next() !== '{' || this.#peek() === '}') throw new NoDocument();
    selected.depth = Math.max(selected.depth, depth);
    while (this.#peek() !== '}') {
      if (this.#peek() === '...') this.#spread(selected, depth, braces);
      else this.#field(selected, depth, braces);
    }
    this.#next();
  }

  #field(selected: Selected, depth: number, braces: number): void {
    this.#name();
    if (this.#peek() === ':') {
      this.#next();
      this.#name();
      selected.aliases += 1;
    }
    if (this.#peek() === '(') this.#skipBracket();
    this.#directives();
    if (this.#peek() === '{') this.#set(selected, depth + 1, braces + 1);
  }

  #spread(selected: Selected, depth: number, braces: number): void {
    this.#next();
    const next = this.#peek() ?? '';
    if (IS_NAME.test(next) && next !== 'on') {
      selected.spreads.push({ fragment: this.#name(), depth });
      this.#directives();
      return;
    }
    if (next === 'on') {
      this.#next();
      this.#name();
    }
    this.#directives();
    this.#set(selected, depth, braces + 1);
  }

  #directives(): void {
    while (this.#peek() === '@') {
      this.#next();
      this.#name();
      if (this.#peek() === '(') this.#skipBracket();
    }
  }

  /** Arguments or variables: whatever is between brackets that fit each other. */
  #skipBracket(): void {
    const open: Token[] = [];
    do {
      const token = this.#next();
      const close = CLOSES[token];
      if (close !== undefined) open.push(close);
      else if (token === ')' || token === ']' || token === '}') {
        if (open.pop() !== token) throw new NoDocument();
      }
    } while (open.length > 0);
  }

  #name(): string {
    const token = this.#next();
    if (!IS_NAME.test(token)) throw new NoDocument();
    return token;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token {
    const token = this.#tokens[this.#at];
    if (token === undefined) throw new NoDocument();
    this.#at += 1;
    return token;
  }
}
