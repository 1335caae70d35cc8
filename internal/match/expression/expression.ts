import type { Evaluation } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import { ExpressionError } from '../../core/vocabulary.ts';
import { type Names, vocabularyNames } from './attributes.ts';
import { CompileError } from './calls.ts';
import { Compiler } from './compiler.ts';
import { MAX_ITERATIONS, type Node, type Scope } from './node.ts';
import { parseSource } from './source.ts';
import { describeType, isNumeric } from './static-type.ts';
import { isError, type Result, Uint, type Value } from './value.ts';

/** An expression of a policy, compiled. Its methods never throw and never wait. */
export interface Expression {
  readonly source: string;
  /** Vocabulary names it reads. */
  readonly attributes: ReadonlySet<string>;
  evaluate(evaluation: Evaluation): Result;
  /** The value as text for headers and keys: null when it is null, an error when it has no one text. */
  text(evaluation: Evaluation): string | null | ExpressionError;
}

export interface ExpressionUse {
  /** What the expression must give; `key` is a text, a whole number, a bool or null. */
  readonly result: 'bool' | 'number' | 'key';
  /** Parameters that every path template in scope has. */
  readonly params: readonly string[];
  /** In keys an unknown client address is null, in conditions an error. */
  readonly use: 'condition' | 'key';
}

/** Compiles and type-checks an expression; what is wrong goes to `problems` with line, column and a caret. */
export function compileExpression(source: string, use: ExpressionUse, problems: ProblemList): Expression | undefined {
  const program = compileProgram(source, vocabularyNames(use.params, use.use));
  if ('why' in program) {
    problems.error('InvalidExpression', program.why);
    return undefined;
  }
  if (!isResult(program.node, use.result)) {
    const wanted = use.result === 'key' ? 'a string, an int, a bool or null' : `a ${use.result}`;
    problems.error(
      'InvalidExpression',
      `The expression gives ${describeType(program.node.type)}, but ${wanted} is needed`,
    );
    return undefined;
  }
  return new CompiledExpression(source, program);
}

export interface Program {
  readonly node: Node;
  readonly attributes: ReadonlySet<string>;
}

/** Compiles an expression over any names; policies use `compileExpression`. */
export function compileProgram(text: string, names: Names): Program | { readonly why: string } {
  const source = parseSource(text);
  if ('why' in source) return source;
  const compiler = new Compiler(names);
  try {
    return { node: compiler.compile(source.root), attributes: compiler.attributes };
  } catch (error) {
    if (!(error instanceof CompileError)) throw error;
    const [at = '', ...excerpt] = source.locate(error.node).split('\n');
    return { why: [`${at}: ${error.message}`, ...excerpt].join('\n') };
  }
}

function isResult({ type }: Node, result: ExpressionUse['result']): boolean {
  if (type.name === 'dyn') return true;
  if (result === 'bool') return type.name === 'bool';
  if (result === 'number') return isNumeric(type);
  return ['string', 'int', 'bool', 'null'].includes(type.name);
}

const NO_VARIABLES: ReadonlyMap<string, Value> = new Map();
const NO_TEXT = new ExpressionError('the value has no one text');
const UNFORESEEN = new ExpressionError('the expression could not be evaluated');

class CompiledExpression implements Expression {
  readonly source: string;
  readonly attributes: ReadonlySet<string>;
  readonly #node: Node;
  #scope: Scope | undefined = undefined;

  constructor(source: string, { node, attributes }: Program) {
    this.source = source;
    this.attributes = attributes;
    this.#node = node;
  }

  evaluate(evaluation: Evaluation): Result {
    // Evaluation is synchronous and never re-enters, so one scope serves all.
    this.#scope ??= { evaluation, slots: [], budget: 0, variables: NO_VARIABLES };
    const scope = this.#scope;
    scope.evaluation = evaluation;
    scope.budget = MAX_ITERATIONS;
    try {
      return this.#node.run(scope);
    } catch {
      // Closures do not throw; should one do so all the same, unknown must not help the caller.
      return UNFORESEEN;
    }
  }

  text(evaluation: Evaluation): string | null | ExpressionError {
    const value = this.evaluate(evaluation);
    if (isError(value) || value === null || typeof value === 'string') return value;
    if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
    if (value instanceof Uint) return String(value.value);
    return typeof value === 'number' && Number.isInteger(value) ? String(value) : NO_TEXT;
  }
}

const NOT_BOOL = new ExpressionError('the value is not a bool');

/** Whether a condition holds; anything but true and false is an error. */
export function isTrue(expression: Expression, evaluation: Evaluation): boolean | ExpressionError {
  const value = expression.evaluate(evaluation);
  return typeof value === 'boolean' ? value : isError(value) ? value : NOT_BOOL;
}
