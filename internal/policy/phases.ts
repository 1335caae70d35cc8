import type { Refusal } from '../core/decision.ts';
import type { Step } from '../core/evaluation.ts';
import type { PhaseName } from '../core/reasons.ts';
import { findCredential, verifyCredential } from '../phases/authn/authn.ts';
import type { Authentication } from '../phases/authn/compile.ts';
import { authorize } from '../phases/authz/authz.ts';
import type { Authorization } from '../phases/authz/compile.ts';
import type { CompiledLimit } from '../phases/ratelimit/compile.ts';
import { rateLimitStep } from '../phases/ratelimit/ratelimit.ts';
import type { PolicyPorts } from './compile-policy.ts';
import type { PhaseStep } from './compiled-policy.ts';

/** The compiled sections of a policy. */
export interface Sections {
  readonly requiresTls: boolean;
  /** An expression reads the query, or a credential is looked for in it. */
  readonly readsQuery: boolean;
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly limits: readonly CompiledLimit[];
  readonly ports: PolicyPorts;
}

/** The life of a check, in order: one row a step. A section that a policy has not gives no step. */
const ORDER: readonly { readonly phase: PhaseName; readonly step: (sections: Sections) => Step | undefined }[] = [
  { phase: 'request', step: ({ readsQuery }) => (readsQuery ? refuseQuerySemicolon : undefined) },
  { phase: 'policy', step: ({ requiresTls }) => (requiresTls ? requireTls : undefined) },
  { phase: 'ratelimit', step: ({ limits, ports }) => rateLimitStep(limits, 'BeforeAuthentication', ports.limits) },
  { phase: 'authn', step: ({ authentication, ports }) => findCredential(authentication, ports.tokens) },
  { phase: 'ratelimit', step: ({ limits, ports }) => rateLimitStep(limits, 'AuthenticationFailure', ports.limits) },
  { phase: 'authn', step: ({ authentication, ports }) => verifyCredential(authentication, ports.tokens) },
  { phase: 'ratelimit', step: ({ limits, ports }) => rateLimitStep(limits, 'AfterAuthentication', ports.limits) },
  { phase: 'authz', step: ({ authorization }) => authorize(authorization) },
];

export function stepsOf(sections: Sections): readonly PhaseStep[] {
  const steps: PhaseStep[] = [];
  for (const { phase, step } of ORDER) {
    const compiled = step(sections);
    if (compiled !== undefined) steps.push({ phase, step: compiled });
  }
  return Object.freeze(steps);
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

const TLS_REQUIRED: Refusal = Object.freeze({ reason: 'tls_required', detail: 'Use https' });

const requireTls: Step = (evaluation) => (evaluation.request.isTls ? undefined : evaluation.refuse(TLS_REQUIRED));
