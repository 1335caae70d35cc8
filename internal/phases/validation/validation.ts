import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { contentOf, isTaken, NOT_TAKEN } from './body-content.ts';
import type { BodyRules, Validation } from './compile.ts';
import { BODY_CUT } from './refusals.ts';
import { type SeenBody, seenBody } from './seen-body.ts';
import { isWithin } from './size-limits.ts';

/** Judges whether the input is sound: sizes first, so that nothing is read of what is too large. */
export function validate({ mode, sizes, body }: Validation): Step {
  return (evaluation) => {
    for (let i = 0; i < sizes.length; i += 1) {
      const limit = sizes[i];
      if (limit === undefined) throw new Error('A list of limits has a hole');
      if (isWithin(limit, evaluation.request)) continue;
      const refusal = evaluation.refuse(limit.refusal, mode);
      if (refusal !== undefined) return refusal;
    }
    if (body === undefined) return undefined;
    const refusal = bodyRefusal(body, evaluation);
    return refusal && evaluation.refuse(refusal, mode);
  };
}

/** The first rule that a body breaks: what one of them refuses the others cannot read. */
function bodyRefusal(rules: BodyRules, evaluation: Evaluation): Refusal | undefined {
  const body = seenBody(evaluation.request, rules.bodyless);
  if ('reason' in body) return body;
  if (rules.maxBytes !== undefined && body.size > rules.maxBytes) return BODY_CUT;
  if (body.size === 0) return undefined;
  if (rules.contentTypes !== undefined && !isTaken(rules.contentTypes, evaluation)) return NOT_TAKEN;
  return rules.json && jsonRefusal(rules, evaluation, body);
}

function jsonRefusal({ json = [] }: BodyRules, evaluation: Evaluation, body: SeenBody): StepResult {
  const content = contentOf(evaluation, body);
  if ('reason' in content) return content;
  if (content.kind !== 'json') return undefined;
  for (let i = 0; i < json.length; i += 1) {
    const limit = json[i];
    if (limit !== undefined && content.shape[limit.measure] > limit.most) return limit.refusal;
  }
  return undefined;
}
