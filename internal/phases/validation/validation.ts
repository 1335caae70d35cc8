import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import type { Validation } from './compile.ts';
import { BODY_CUT } from './refusals.ts';
import { seenBody } from './seen-body.ts';
import { isWithin } from './size-limits.ts';

/** Judges whether the input is sound: sizes first, so that nothing is read of what is too large. */
export function validate(validation: Validation): Step {
  return (evaluation) => judgeSizes(validation, evaluation) ?? judgeBody(validation, evaluation);
}

function judgeSizes({ sizes, mode }: Validation, evaluation: Evaluation): StepResult {
  for (let i = 0; i < sizes.length; i += 1) {
    const limit = sizes[i];
    if (limit === undefined) throw new Error('A list of limits has a hole');
    if (isWithin(limit, evaluation.request)) continue;
    const refusal = evaluation.refuse(limit.refusal, mode);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}

function judgeBody({ readsBody, bodyless, maxBody, mode }: Validation, evaluation: Evaluation): StepResult {
  if (!readsBody) return undefined;
  const body = seenBody(evaluation.request, bodyless);
  if ('reason' in body) return evaluation.refuse(body, mode);
  return maxBody !== undefined && body.size > maxBody ? evaluation.refuse(BODY_CUT, mode) : undefined;
}
