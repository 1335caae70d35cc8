import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import type { Validation } from './compile.ts';
import { judgeBody } from './judge-body.ts';
import { judgeFields } from './judge-fields.ts';
import { isWithin } from './size-limits.ts';

/** Judges whether the input is sound: sizes first, so that nothing is read of what is too large, and bodies last. */
export function validate(validation: Validation): Step {
  const { mode, parameters, body } = validation;
  return (evaluation) =>
    judgeSizes(validation, evaluation) ??
    judgeFields(parameters, evaluation) ??
    (body && judgeBody(body, evaluation, mode));
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
