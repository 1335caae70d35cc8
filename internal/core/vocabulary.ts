import type { Evaluation } from './evaluation.ts';

/**
 * The attributes that expressions, docs, logs and metrics name: one table. A row says the attribute's type, what its
 * absence means and where it is read from.
 */
export type ValueType =
  | 'string'
  | 'int'
  | 'timestamp'
  | 'list(string)'
  | 'map(string, string)'
  | 'map(string, list(string))'
  | 'map(string, dyn)'
  | 'dyn';

export interface Attribute {
  readonly type: ValueType;
  readonly absent:
    | 'never'
    | 'null'
    | 'empty list'
    | 'error'
    | 'null in keys, error in conditions'
    | 'refused at compile'
    | 'null on a missing key';
  readonly doc: string;
  readonly read: (evaluation: Evaluation) => unknown;
}
