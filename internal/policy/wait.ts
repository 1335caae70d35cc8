import type { StepResult } from '../core/evaluation.ts';

/**
 * The step's answer, or `late` when it does not come in time. A late rejection is swallowed, not unhandled; so is one
 * that comes after the time could not even be read.
 */
export function withDeadline(pending: Promise<StepResult>, waitMs: () => number): Promise<StepResult | 'late'> {
  return new Promise((resolve, reject) => {
    let timer: NodeJS.Timeout | undefined;
    pending.then(resolve, reject).finally(() => clearTimeout(timer));
    timer = setTimeout(() => resolve('late'), Math.max(0, waitMs()));
  });
}
