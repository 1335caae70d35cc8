import { bodyOf } from '../core/attribute-readers.ts';
import type { Refusal } from '../core/decision.ts';
import type { Evaluation, StepResult } from '../core/evaluation.ts';
import { REPEATED_MEMBER } from '../core/json-scan.ts';
import type { CompiledPolicy } from './compiled-policy.ts';

export const REPEATED_BODY: Refusal = Object.freeze({ reason: 'malformed_body', detail: 'The JSON repeats a member' });

/**
 * A JSON body that repeats a member has two readings. It is refused as such wherever a policy has a rule that reads
 * bodies, also where no rule came to it: which one does would depend on their names.
 */
export function hasRepeatedMember({ readsBody }: CompiledPolicy, evaluation: Evaluation): boolean {
  if (!readsBody) return false;
  bodyOf(evaluation);
  const { parsedBody } = evaluation;
  return parsedBody !== undefined && !parsedBody.ok && parsedBody.why === REPEATED_MEMBER;
}

/** Refuses such a body before a check is allowed; Audit does not lift what an override reads. */
export function refuseRepeatedMember(policy: CompiledPolicy, evaluation: Evaluation): StepResult {
  if (!hasRepeatedMember(policy, evaluation)) return undefined;
  return policy.held?.readsBody === true ? REPEATED_BODY : evaluation.refuse(REPEATED_BODY);
}
