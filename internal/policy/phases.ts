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
  readonly authentication: Authentication;
  readonly authorization: Authorization;
  readonly limits: readonly CompiledLimit[];
  readonly ports: PolicyPorts;
}

/** The life of a check, in order: one row a step. A section that a policy has not gives no step. */
const ORDER: readonly { readonly phase: PhaseName; readonly step: (sections: Sections) => Step | undefined }[] = [
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

const TLS_REQUIRED: Refusal = Object.freeze({ reason: 'tls_required', detail: 'Use https' });

const requireTls: Step = (evaluation) => (evaluation.request.isTls ? undefined : evaluation.refuse(TLS_REQUIRED));
