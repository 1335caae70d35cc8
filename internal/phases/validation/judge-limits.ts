import type { Evaluation, Mode, StepResult } from '../../core/evaluation.ts';
import type { ContentKind, ContentLimit, Shape } from './content-limits.ts';

/** What was measured of a body, and in which mode its limits are. */
export interface Measured {
  readonly kind: ContentKind;
  readonly shape: Shape;
  readonly mode: Mode;
}

/** Holds measures against the limits of their kind; what was not measured is beyond every limit. */
export function judgeLimits(
  limits: readonly ContentLimit[],
  evaluation: Evaluation,
  { kind, shape, mode }: Measured,
): StepResult {
  for (let i = 0; i < limits.length; i += 1) {
    const limit = limits[i];
    if (limit === undefined) throw new Error('A list of limits has a hole');
    if (limit.kind !== kind || (shape[limit.measure] ?? Number.POSITIVE_INFINITY) <= limit.most) continue;
    const refusal = evaluation.refuse(limit.refusal, mode);
    if (refusal !== undefined) return refusal;
  }
  return undefined;
}
