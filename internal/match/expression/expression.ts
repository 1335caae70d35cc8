import { LRUCache } from 'lru-cache';
import type { Steps } from '../../core/breather.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { ExpressionError } from '../../core/expression-error.ts';
import { isSpent } from '../../core/meter.ts';
import type { ProblemList } from '../../core/problem.ts';
import { Compiler } from './compiler.ts';
import { PartsBudget, type Used } from './dear-parts.ts';
import { type Names, type VocabularyUse, vocabularyNames } from './names.ts';
import { CompileError, type Node, type Scope } from './node.ts';
import { parseSource } from './source.ts';
import { describeType, isNumeric } from './static-type.ts';
import { isError, keyText, type Result, Uint, type Value } from './value.ts';

/** An expression of a policy, compiled. Its methods never throw and never wait. */
export interface Expression {
  readonly source: string;
  /** Vocabulary names it reads. */
  readonly attributes: ReadonlySet<string>;
  evaluate(evaluation: Evaluation): Result;
  /** The value as text for headers: null when it is null, an error when it has no one text. */
  text(evaluation: Evaluation): string | null | ExpressionError;
  /** The value as part of a counter's key: as `text`, but `1`, `"1"` and `true` never read alike. */
  key(evaluation: Evaluation): string | null | ExpressionError;
}

export interface ExpressionUse extends VocabularyUse {
  /** What the expression must give; `key` is a text, a whole number, a bool or null. */
  readonly result: 'bool' | 'number' | 'key' | 'any';
  /** Of the policy that the expression is of. */
  readonly budget?: PartsBudget;
}

/** Many policies say the same: what was compiled is shared, for it keeps nothing of who asks. */
const compiled = new LRUCache<string, CompiledExpression>({ max: 4096 });

/**
 * Compiles and type-checks an expression; what is wrong goes to `problems` with line, column and a caret. Once the
 * policy's budget is used up, which one expression was told, no other is looked at.
 */
export function* compileExpression(
  source: string,
  use: ExpressionUse,
  problems: ProblemList,
): Steps<Expression | undefined> {
  const { result, use: where, caseInsensitive, params, budget = new PartsBudget() } = use;
  if (budget.isSpent) return undefined;
  const key = JSON.stringify([result, where, caseInsensitive, params, source]);
  const known = compiled.get(key);
  if (known !== undefined) {
    const why = budget.take(known.used);
    budget.count(known.used);
    if (why !== undefined) problems.error('InvalidExpression', why);
    return why === undefined ? known : undefined;
  }
  yield;
  const expression = yield* compileAnew(source, { ...use, budget }, problems);
  if (expression !== undefined) compiled.set(key, expression);
  return expression;
}

function* compileAnew(
  source: string,
  use: ExpressionUse,
  problems: ProblemList,
): Steps<CompiledExpression | undefined> {
  const program = yield* compileProgram(source, vocabularyNames(use), use.budget);
  if ('why' in program) {
    problems.error('InvalidExpression', program.why);
    return undefined;
  }
  const wanted = WANTED[use.result];
  if (!wanted.fits(program.node)) {
    const given = describeType(program.node.type);
    problems.error('InvalidExpression', `The expression gives ${given}, but ${wanted.name} is needed`);
    return undefined;
  }
  return new CompiledExpression(source, program);
}

const KEY_TYPES: ReadonlySet<string> = new Set(['string', 'int', 'bool', 'null']);
const isDyn = ({ type }: Node): boolean => type.name === 'dyn';
const WANTED = {
  bool: { name: 'a bool', fits: (node: Node) => isDyn(node) || node.type.name === 'bool' },
  number: { name: 'a number', fits: (node: Node) => isDyn(node) || isNumeric(node.type) },
  key: { name: 'a string, an int, a bool or null', fits: (node: Node) => isDyn(node) || KEY_TYPES.has(node.type.name) },
  any: { name: 'a value', fits: () => true },
} as const;

export interface Program {
  readonly node: Node;
  readonly attributes: ReadonlySet<string>;
  readonly used: Used;
}

/** Compiles an expression over any names; policies use `compileExpression`. */
export function* compileProgram(
  text: string,
  names: Names,
  budget = new PartsBudget(),
): Steps<Program | { readonly why: string }> {
  const source = parseSource(text);
  if ('why' in source) return source;
  const compiler = new Compiler(names);
  try {
    const node = compiler.compile(source.root);
    const used = yield* compiler.dear.make(budget);
    return { node, attributes: compiler.attributes, used };
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    return { why: source.explain(error.node, error.message) };
  }
}

const NO_VARIABLES: ReadonlyMap<string, Value> = new Map();
const OVER_BUDGET = new ExpressionError('the expressions of the policy take too much work on this request');
const UNFORESEEN = new ExpressionError('the expression could not be evaluated');

/** Charged for running an expression at all; what its parts cost more, they charge themselves. */
const EACH = 10;
let idle: Scope | undefined;

/**
 * Runs a program. One that uses up what the check's expressions may do together is an error as a whole, and so is
 * every later one of the check: no `||` may absorb what was never looked at.
 */
export function runProgram({ node }: Program, evaluation: Evaluation, variables = NO_VARIABLES): Result {
  evaluation.work -= EACH;
  if (isSpent(evaluation)) return OVER_BUDGET;
  const scope = idle ?? { evaluation, slots: [null, null, null], variables };
  // Taken while it is used: should an attribute ever evaluate an expression itself, that one gets its own.
  idle = undefined;
  scope.evaluation = evaluation;
  scope.variables = variables;
  try {
    const result = node.run(scope);
    return isSpent(evaluation) ? OVER_BUDGET : result;
  } catch {
    // Closures do not throw; should one do so all the same, unknown must not help the caller.
    return UNFORESEEN;
  } finally {
    idle = scope;
  }
}

const NO_TEXT = new ExpressionError('the value has no one text');

class CompiledExpression implements Expression {
  readonly source: string;
  readonly attributes: ReadonlySet<string>;
  readonly used: Used;
  readonly #program: Program;

  constructor(source: string, program: Program) {
    this.source = source;
    this.attributes = program.attributes;
    this.used = program.used;
    this.#program = program;
  }

  evaluate(evaluation: Evaluation): Result {
    return runProgram(this.#program, evaluation);
  }

  text(evaluation: Evaluation): string | null | ExpressionError {
    const value = this.evaluate(evaluation);
    if (isError(value) || value === null || typeof value === 'string') return value;
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (value instanceof Uint) return String(value.value);
    return typeof value === 'number' && Number.isInteger(value) ? String(BigInt(value)) : NO_TEXT;
  }

  key(evaluation: Evaluation): string | null | ExpressionError {
    const value = this.evaluate(evaluation);
    return isError(value) || value === null ? value : (keyText(value) ?? NO_TEXT);
  }
}

const NOT_BOOL = new ExpressionError('the value is not a bool');

/** Whether a condition holds; anything but true and false is an error. */
export function isTrue(expression: Expression, evaluation: Evaluation): boolean | ExpressionError {
  const value = expression.evaluate(evaluation);
  return typeof value === 'boolean' ? value : isError(value) ? value : NOT_BOOL;
}
