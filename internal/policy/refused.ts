import type { Decision, Refusal } from '../core/decision.ts';
import { REASONS } from '../core/reasons.ts';
import type { Request } from '../core/request.ts';
import type { Checked } from './checked.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { NO_EDITS } from './edits.ts';

const NOTHING: readonly never[] = Object.freeze([]);

/** What a decision tells besides what its refusal says. */
export type Told = Pick<Decision, 'decisionId' | 'policy' | 'findings' | 'answerHeaders' | 'isGrpc'>;

/** The decision that a refusal is. */
export function refusalDecision(refusal: Refusal, told: Told): Decision {
  return {
    outcome: REASONS[refusal.reason].kind === 'fault' ? 'fault' : 'deny',
    reason: refusal.reason,
    decisionId: told.decisionId,
    policy: told.policy,
    refusal,
    findings: told.findings,
    edits: NO_EDITS,
    answerHeaders: told.answerHeaders,
    isGrpc: told.isGrpc,
  };
}

export interface Known {
  readonly decisionId: string;
  readonly isGrpc: boolean;
  readonly policy?: CompiledPolicy | undefined;
  readonly request?: Request | undefined;
}

/** A refusal without an evaluation behind it. */
export function refusedBefore(refusal: Refusal, { decisionId, isGrpc, policy, request }: Known): Checked {
  const told = { decisionId, policy: policy?.ref, findings: NOTHING, answerHeaders: NOTHING, isGrpc };
  return { decision: refusalDecision(refusal, told), request, policy, evaluation: undefined };
}
