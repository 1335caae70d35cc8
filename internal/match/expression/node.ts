import type { Expr } from '@bufbuild/cel-spec/cel/expr/syntax_pb.js';
import type { Evaluation } from '../../core/evaluation.ts';
import type { ExpressionError } from '../../core/expression-error.ts';
import type { MapAttribute } from '../../core/vocabulary.ts';
import {
  BOOL,
  BYTES,
  DOUBLE,
  DURATION,
  DYN,
  INT,
  join,
  listOf,
  NULL,
  STRING,
  type StaticType,
  TIMESTAMP,
  TYPE,
  UINT,
} from './static-type.ts';
import { isList, type Result, typeNameOf, type Value } from './value.ts';

/** Most parts of an expression, macros written out. */
export const MAX_NODES = 1000;
/** Deepest nesting; chains of one operator, of members and of calls count once. */
export const MAX_NESTING = 32;
export const MAX_MACRO_NESTING = 3;
/** Longest text (UTF-16 units) or bytes, and list, that an expression may put together. */
export const MAX_TEXT = 1_048_576;
export const MAX_LIST = 10_000;

/** What closures read while they run. One serves every evaluation, for none runs inside another. */
export interface Scope {
  /** The check, which is also the meter of what its expressions may still do. */
  evaluation: Evaluation;
  /** Variables of macros, by depth. */
  readonly slots: Value[];
  /** Variables that a caller declared; conformance tests alone do. */
  variables: ReadonlyMap<string, Value>;
}

export type Run = (scope: Scope) => Result;
/** An integer that a double holds, without a bigint. */
export type RunSmall = (scope: Scope) => number | ExpressionError;

/** A compiled part of an expression. */
export interface Node {
  readonly type: StaticType;
  readonly run: Run;
  /** For integers that are small: the same without a bigint. */
  readonly small?: RunSmall;
  /** For timestamps of the request: epoch milliseconds without a bigint; null when absent. */
  readonly epochMs?: (scope: Scope) => number | null;
  /** Set for what is known when the policy arrives. */
  readonly constant?: Value;
  /** Why this is never the text; for attributes that have one spelling only. */
  readonly neverEqual?: (text: string) => string | undefined;
  /** Set where no text of this holds a letter in upper case. */
  readonly isLowerCase?: true;
  /** Set for an attribute that is read by key: the key is looked up without making a map. */
  readonly map?: MapAttribute;
}

/** An author's mistake in an expression, at a node. */
export class CompileError extends Error {
  readonly node: Expr;

  constructor(node: Expr, message: string) {
    super(message);
    this.node = node;
  }
}

const TYPES: Readonly<Record<string, StaticType>> = {
  null: NULL,
  bool: BOOL,
  int: INT,
  uint: UINT,
  double: DOUBLE,
  string: STRING,
  bytes: BYTES,
  timestamp: TIMESTAMP,
  duration: DURATION,
  type: TYPE,
};

function typeOfConstant(value: Value): StaticType {
  if (!isList(value)) return TYPES[typeNameOf(value)] ?? DYN;
  const [first, ...others] = value;
  return listOf(first === undefined ? DYN : others.map(typeOfConstant).reduce(join, typeOfConstant(first)));
}

/** A value that is known when the policy arrives. */
export function constantNode(constant: Value): Node {
  const node = { type: typeOfConstant(constant), run: () => constant, constant };
  if (typeof constant !== 'bigint') return node;
  const small = Number(constant);
  return Number.isSafeInteger(small) ? { ...node, small: () => small } : node;
}
