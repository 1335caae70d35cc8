import type { Steps } from '../../core/breather.ts';
import type { Mode } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import { parseQuantity } from '../../core/quantity.ts';
import { compileFields, type FieldRule, type FieldsContext } from './compile-field.ts';
import { type ContentLimits, contentLimitsOf } from './content-limits.ts';
import { type SizeLimit, sizeLimitsOf } from './size-limits.ts';
import type { ValidationSpec } from './spec.ts';

/** `validation` of a policy. */
export interface Validation {
  readonly mode: Mode;
  readonly sizes: readonly SizeLimit[];
  /** Rules of path, query, headers and cookies. */
  readonly parameters: readonly FieldRule[];
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
  /** Most bytes of one that was compressed; undefined where it may not be. */
  readonly maxInflated: number | undefined;
  /** undefined where no limit asks what is in the body. */
  readonly content: ContentLimits | undefined;
  /** One of these asks for the body of every request; members only where they apply. */
  readonly isAlwaysRead: boolean;
  readonly members: readonly FieldRule[];
}

export type ValidationContext = Omit<FieldsContext, 'mode'>;

/** Compiles `validation`; undefined where a policy has none, or one that says nothing. */
export function* compileValidation(
  spec: ValidationSpec | undefined,
  context: ValidationContext,
  problems: ProblemList,
): Steps<Validation | undefined> {
  if (spec === undefined) return undefined;
  const mode = spec.mode ?? 'Enforce';
  const fields = yield* compileFields(spec.fields ?? [], { ...context, mode }, problems.at('fields'));
  const parameters = fields.filter(({ place }) => place.kind !== 'body');
  const sizes = sizeLimitsOf(spec.limits ?? {});
  const body = bodyRulesOf(
    spec,
    fields.filter(({ place }) => place.kind === 'body'),
  );
  if (sizes.length === 0 && parameters.length === 0 && body === undefined) return undefined;
  const readsQuery =
    spec.limits?.parameters !== undefined ||
    body?.content?.kinds.has('graphql') === true ||
    parameters.some(({ place }) => place.kind === 'query');
  return Object.freeze({ mode, sizes, parameters, body, readsQuery });
}

function bodyRulesOf(
  { limits = {}, contentTypes, bodyless }: ValidationSpec,
  members: readonly FieldRule[],
): BodyRules | undefined {
  const maxInflated = limits.inflated === undefined ? undefined : parseQuantity(limits.inflated);
  const content = contentLimitsOf(limits) ?? (maxInflated === undefined ? undefined : INFLATED);
  const isAlwaysRead = limits.body !== undefined || contentTypes !== undefined || content !== undefined;
  if (!isAlwaysRead && members.length === 0) return undefined;
  return Object.freeze({
    bodyless: new Set(bodyless),
    maxBytes: limits.body === undefined ? undefined : parseQuantity(limits.body),
    contentTypes: contentTypes && new Set(contentTypes),
    maxInflated,
    content,
    isAlwaysRead,
    members,
  });
}

/** How large a body inflates to is asked, whatever is in it. */
const INFLATED: ContentLimits = Object.freeze({ kinds: new Set<never>(), limits: Object.freeze([]) });
