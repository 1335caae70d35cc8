import type { Evaluation } from '../../core/evaluation.ts';
import type { ExpressionError, MapAttribute } from '../../core/vocabulary.ts';
import type { StaticType } from './static-type.ts';
import type { Result, Value } from './value.ts';

/** What closures read while they run; one per expression, used again by every evaluation, for none runs inside another. */
export interface Scope {
  evaluation: Evaluation;
  /** Variables of macros, by slot. */
  readonly slots: Result[];
  /** Iterations left. */
  budget: number;
  /** Variables that a caller declared; conformance tests alone do. */
  variables: ReadonlyMap<string, Value>;
}

export type Run = (scope: Scope) => Result;

/** A compiled part of an expression. */
export interface Node {
  readonly type: StaticType;
  readonly run: Run;
  /** For integers that are small: the same without a bigint. */
  readonly small?: (scope: Scope) => number | ExpressionError;
  /** Set for a literal. */
  readonly constant?: Value;
  /** Set for an attribute that is read by key: the key is looked up without making a map. */
  readonly map?: MapAttribute;
}

/** Most iterations of all macros of one evaluation together. */
export const MAX_ITERATIONS = 10_000;
export const MAX_COMPREHENSION_DEPTH = 3;
