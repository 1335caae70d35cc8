import type { Mode } from '../../core/evaluation.ts';
import { parseQuantity } from '../../core/quantity.ts';
import { type JsonLimit, jsonLimitsOf } from './json-limits.ts';
import { type SizeLimit, sizeLimitsOf } from './size-limits.ts';
import type { ValidationSpec } from './spec.ts';

/** `validation` of a policy. */
export interface Validation {
  readonly mode: Mode;
  readonly sizes: readonly SizeLimit[];
  /** undefined where no rule asks for bodies. */
  readonly body: BodyRules | undefined;
  readonly readsQuery: boolean;
}

export interface BodyRules {
  /** Methods that have no body where none is seen. */
  readonly bodyless: ReadonlySet<string>;
  /** Most bytes; undefined where nobody asks. */
  readonly maxBytes: number | undefined;
  readonly contentTypes: ReadonlySet<string> | undefined;
  /** undefined where nobody asks what is in the body. */
  readonly json: readonly JsonLimit[] | undefined;
}

/** Compiles `validation`; undefined where a policy has none, or one that says nothing. */
export function compileValidation(spec: ValidationSpec | undefined): Validation | undefined {
  if (spec === undefined) return undefined;
  const sizes = sizeLimitsOf(spec.limits ?? {});
  const body = compileBody(spec);
  if (sizes.length === 0 && body === undefined) return undefined;
  return Object.freeze({
    mode: spec.mode ?? 'Enforce',
    sizes,
    body,
    readsQuery: spec.limits?.parameters !== undefined,
  });
}

function compileBody({ limits = {}, contentTypes, bodyless }: ValidationSpec): BodyRules | undefined {
  const json = jsonLimitsOf(limits);
  if (limits.body === undefined && contentTypes === undefined && json === undefined) return undefined;
  return Object.freeze({
    bodyless: new Set(bodyless),
    maxBytes: limits.body === undefined ? undefined : parseQuantity(limits.body),
    contentTypes: contentTypes && new Set(contentTypes),
    json,
  });
}
