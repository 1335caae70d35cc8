import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Token, tokensOf } from './source-tokens.ts';

/** A place where the program can wait, or asks something that can fail: `internal/x.ts`, `Class.#member`, `await 1`. */
export interface Point {
  readonly file: string;
  /** The top-level declaration it lies in, with the member where that is a class or an interface. */
  readonly owner: string;
  /** Its kind and how many of that kind the owner has up to it: an edit elsewhere does not rename it. */
  readonly what: string;
}

/** Folders whose callable ports are evaluators: what decides a check is made of them. */
const EVALUATORS = /^internal\/(core|counters|extauthz|keys|match|phases|policy|telemetry)\//;
const NOT_SERVED = /\.(test|contract|fixture)\.ts$/;

/** Every point of the sources below `internal/`, in the order of files and lines. */
export function sourcePoints(root: string): Point[] {
  return readdirSync(join(root, 'internal'), { recursive: true, encoding: 'utf8' })
    .map((name) => `internal/${name}`)
    .filter((name) => name.endsWith('.ts') && !NOT_SERVED.test(name))
    .sort()
    .flatMap((file) => pointsOf(file, readFileSync(join(root, file), 'utf8')));
}

/** The points of one file. Comments, texts, templates and regular expressions hold none. */
export function pointsOf(file: string, source: string): Point[] {
  const points: Point[] = [];
  const counts = new Map<string, number>();
  const add = (owner: string, kind: string): void => {
    const count = (counts.get(`${owner} ${kind}`) ?? 0) + 1;
    counts.set(`${owner} ${kind}`, count);
    points.push({ file, owner, what: `${kind} ${count}` });
  };
  const tokens = tokensOf(source);
  const place = new Place();
  for (const [index, token] of tokens.entries()) {
    place.enter(tokens, index);
    const kind = waitAt(tokens, index);
    if (kind !== undefined) add(place.owner, kind);
    if (place.isPort(tokens, index) && EVALUATORS.test(file)) add(place.owner, 'port');
    if (place.owner === 'ORDER' && (token === 'own' || token === 'held') && tokens[index + 1] === ':')
      add('ORDER', token);
    place.leave(token);
  }
  return points;
}

/** `Promise.resolve` and `Promise.reject` are settled already: nothing waits there. */
const MAKERS: ReadonlySet<string> = new Set(['withResolvers', 'all', 'allSettled', 'race', 'any', 'try']);
const HANDLERS: ReadonlySet<string> = new Set(['then', 'catch', 'finally']);

/** The kind of the point that begins at a token; undefined where none does. */
function waitAt(tokens: readonly Token[], index: number): string | undefined {
  const [token, next, member] = [tokens[index] ?? '', tokens[index + 1] ?? '', tokens[index + 2] ?? ''];
  const before = tokens[index - 1] ?? '';
  const isMember = before === '.' || before === '?.';
  if (token === 'await' && !isMember) return before === 'for' ? 'for await' : 'await';
  if (token === 'new' && next === 'Promise') return 'new Promise';
  if (token === 'Promise' && next === '.' && MAKERS.has(member)) return `Promise.${member}`;
  if (isMember && HANDLERS.has(token) && (next === '(' || next === '<')) return `.${token}`;
  return undefined;
}

const DECLARES: ReadonlySet<string> = new Set(['function', 'class', 'interface', 'type', 'const', 'let', 'enum']);
const MODIFIERS: ReadonlySet<string> = new Set(['static', 'readonly', 'async', 'get', 'set', 'override', '*']);
const isName = (token: Token): boolean => /^[#\w$]/.test(token);

/** Where in a file a token stands: which declaration, and which of its members. */
class Place {
  #depth = 0;
  #kind = '';
  #name = '';
  #member = '';
  #isMemberStart = false;

  get owner(): string {
    return this.#member === '' ? this.#name : `${this.#name}.${this.#member}`;
  }

  enter(tokens: readonly Token[], index: number): void {
    const token = tokens[index] ?? '';
    const next = tokens[index + 1] ?? '';
    if (this.#depth === 0 && DECLARES.has(token)) {
      this.#kind = token;
      this.#name = (next === '*' ? tokens[index + 2] : next) ?? '';
      this.#member = '';
    }
    const hasMembers = this.#kind === 'class' || this.#kind === 'interface';
    if (!hasMembers || this.#depth !== 1 || !this.#isMemberStart || !isName(token)) return;
    if (MODIFIERS.has(token) && (isName(next) || next === '*')) return;
    this.#member = token;
    this.#isMemberStart = false;
  }

  leave(token: Token): void {
    if ('{(['.includes(token)) this.#depth += 1;
    if ('})]'.includes(token)) this.#depth -= 1;
    if (this.#depth === 1 && '{};'.includes(token)) this.#isMemberStart = true;
    if (this.#depth === 0 && token === '}') this.#member = '';
  }

  /** Whether this token begins a callable member of an interface, or a type that is a function. */
  isPort(tokens: readonly Token[], index: number): boolean {
    const token = tokens[index] ?? '';
    if (this.#kind === 'type' && this.#depth === 0 && token === this.#name)
      return tokens[index + 1] === '=' && isFunctionType(tokens, index + 2);
    if (this.#kind !== 'interface' || this.#depth !== 1 || token !== this.#member) return false;
    const after = tokens[index + 1] === '?' ? index + 2 : index + 1;
    if (tokens[after] === '(') return true;
    return tokens[after] === ':' && isFunctionType(tokens, after + 1);
  }
}

/** `(…) =>` at a place where a type stands. */
function isFunctionType(tokens: readonly Token[], from: number): boolean {
  if (tokens[from] !== '(') return false;
  let depth = 0;
  for (let i = from; i < tokens.length; i += 1) {
    if (tokens[i] === '(') depth += 1;
    if (tokens[i] === ')') depth -= 1;
    if (depth === 0) return tokens[i + 1] === '=>';
  }
  return false;
}
