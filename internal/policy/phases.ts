import type { PolicyRef, Refusal } from '../core/decision.ts';
import type { Step } from '../core/evaluation.ts';
import type { PhaseName } from '../core/reasons.ts';
import { findCredential, verifyCredential } from '../phases/authn/authn.ts';
import type { Authentication } from '../phases/authn/compile.ts';
import { authorize } from '../phases/authz/authz.ts';
import type { Authorization } from '../phases/authz/compile.ts';
import type { CompiledLimit } from '../phases/ratelimit/compile.ts';
import { type RateLimitPorts, rateLimitStep } from '../phases/ratelimit/ratelimit.ts';
import type { Validation } from '../phases/validation/compile.ts';
import { validate } from '../phases/validation/validation.ts';
import { type OverrideSet, overrideLimits } from './baselines/override-set.ts';
import type { PolicyPorts } from './compile-policy.ts';
import type { PhaseStep } from './compiled-policy.ts';

/** The compiled sections of a policy. */
export interface Sections {
  readonly requiresTls: boolean;
  /** An expression or validation reads the query, or a credential is looked for in it. */
  readonly readsQuery: boolean;
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly limits: readonly CompiledLimit[];
  /** undefined where the policy has none. */
  readonly validation: Validation | undefined;
  readonly ports: PolicyPorts;
}

/** What overrides of baselines put beside the steps of a policy. */
export interface HoldSections {
  readonly overrides: OverrideSet;
  readonly policy: Pick<PolicyRef, 'namespace' | 'uid'>;
  readonly ports: RateLimitPorts;
}

interface Row {
  readonly phase: PhaseName;
  /** Of a policy; a section that it has not gives no step. */
  readonly own?: (sections: Sections) => Step | undefined;
  /** Of the overrides that hold it, which come before its own and are in no mode. */
  readonly held?: (sections: HoldSections) => Step | readonly Step[] | undefined;
}

/** The life of a check, in order. */
const ORDER: readonly Row[] = [
  {
    phase: 'request',
    held: ({ overrides }) => (overrides.readsQuery ? refuseSemicolonInAnyMode : undefined),
    own: ({ readsQuery }) => (readsQuery ? refuseQuerySemicolon : undefined),
  },
  {
    phase: 'policy',
    held: ({ overrides }) => overrides.requireTls,
    own: ({ requiresTls }) => (requiresTls ? requireTls : undefined),
  },
  {
    phase: 'ratelimit',
    held: ({ overrides, ...owner }) => overrideLimits(overrides, 'BeforeAuthentication', owner),
    own: ({ limits, ports }) => rateLimitStep(limits, 'BeforeAuthentication', ports.limits),
  },
  { phase: 'authn', own: ({ authentication, ports }) => findCredential(authentication, ports.tokens) },
  {
    phase: 'ratelimit',
    held: ({ overrides, ...owner }) => overrideLimits(overrides, 'AuthenticationFailure', owner),
    own: ({ limits, ports }) => rateLimitStep(limits, 'AuthenticationFailure', ports.limits),
  },
  { phase: 'authn', own: ({ authentication, ports }) => verifyCredential(authentication, ports.tokens) },
  { phase: 'authn', held: ({ overrides }) => overrides.requireCaller },
  {
    phase: 'ratelimit',
    held: ({ overrides, ...owner }) => overrideLimits(overrides, 'AfterAuthentication', owner),
    own: ({ limits, ports }) => rateLimitStep(limits, 'AfterAuthentication', ports.limits),
  },
  { phase: 'authz', held: ({ overrides }) => overrides.deny, own: ({ authorization }) => authorize(authorization) },
  { phase: 'validation', own: ({ validation }) => validation && validate(validation) },
];

/** The steps of a policy by itself. */
export function stepsOf(sections: Sections): readonly PhaseStep[] {
  const steps: PhaseStep[] = [];
  for (const [row, { phase, own }] of ORDER.entries()) {
    const step = own?.(sections);
    if (step !== undefined) steps.push(phaseStep(phase, step, row));
  }
  return Object.freeze(steps);
}

const known = new WeakMap<Step, PhaseStep>();

/** One object for a step that policies share. */
function phaseStep(phase: PhaseName, step: Step, row: number): PhaseStep {
  const before = known.get(step);
  if (before?.row === row && before.phase === phase) return before;
  const made = Object.freeze({ phase, step, row });
  known.set(step, made);
  return made;
}

/** Its steps, each behind those of the overrides that hold it. */
export function heldSteps(own: readonly PhaseStep[], sections: HoldSections): readonly PhaseStep[] {
  const steps: PhaseStep[] = [];
  let next = 0;
  for (const [row, { phase, held }] of ORDER.entries()) {
    for (const step of [held?.(sections) ?? []].flat()) steps.push(Object.freeze({ phase, step, row }));
    for (let one = own[next]; one !== undefined && one.row <= row; one = own[next]) {
      steps.push(one);
      next += 1;
    }
  }
  return Object.freeze([...steps, ...own.slice(next)]);
}

const QUERY_SEMICOLON: Refusal = Object.freeze({
  reason: 'malformed_query',
  detail: 'The query has a bare ";", at which some upstreams part parameters: write it as "%3B"',
});

/**
 * Rack 2, Bottle and CGI.pm find `role=admin` in `a=1;role=admin` and in `role=admin;`, others do not: a deny that reads
 * it would be evaded, an allow fooled. Forms and libraries write `%3B`, but not everybody does (OData, lists of ids), so
 * it is refused only where something depends on how the query is read.
 */
const refuseQuerySemicolon: Step = (evaluation) =>
  evaluation.request.hasQuerySemicolon ? evaluation.refuse(QUERY_SEMICOLON) : undefined;

/** What an override reads has one reading in Audit too. */
const refuseSemicolonInAnyMode: Step = ({ request }) => (request.hasQuerySemicolon ? QUERY_SEMICOLON : undefined);

const TLS_REQUIRED: Refusal = Object.freeze({ reason: 'tls_required', detail: 'Use https' });

const requireTls: Step = (evaluation) => (evaluation.request.isTls ? undefined : evaluation.refuse(TLS_REQUIRED));
