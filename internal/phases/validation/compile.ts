import type { Mode } from '../../core/evaluation.ts';
import { parseQuantity } from '../../core/quantity.ts';
import { type SizeLimit, sizeLimitsOf } from './size-limits.ts';
import type { ValidationSpec } from './spec.ts';

/** `validation` of a policy. */
export interface Validation {
  readonly mode: Mode;
  readonly sizes: readonly SizeLimit[];
  /** Methods that have no body where none is seen. */
  readonly bodyless: ReadonlySet<string>;
  /** Most bytes of the body; undefined where nobody asks. */
  readonly maxBody: number | undefined;
  /** A rule asks for the body of every request, if only for its size. */
  readonly readsBody: boolean;
  readonly readsQuery: boolean;
}

/** Compiles `validation`; undefined where a policy has none, or one that says nothing. */
export function compileValidation(spec: ValidationSpec | undefined): Validation | undefined {
  if (spec?.limits === undefined) return undefined;
  const { limits } = spec;
  const maxBody = limits.body === undefined ? undefined : parseQuantity(limits.body);
  return Object.freeze({
    mode: spec.mode ?? 'Enforce',
    sizes: sizeLimitsOf(limits),
    bodyless: new Set(spec.bodyless),
    maxBody,
    readsBody: maxBody !== undefined,
    readsQuery: limits.parameters !== undefined,
  });
}
