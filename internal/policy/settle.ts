import type { Evaluation, Outcome } from '../core/evaluation.ts';

/**
 * Settles what steps took, once, also where telling the decision fails and another takes its place. A settlement that
 * throws must not change a decision that stands, nor stop the others.
 */
export function settle(evaluation: Evaluation, outcome: Outcome): void {
  const { settlements } = evaluation;
  if (settlements === undefined) return;
  evaluation.settlements = undefined;
  for (const settlement of settlements) {
    try {
      settlement(outcome);
    } catch {
      // Counters that cannot be given back stay taken: the safe side.
    }
  }
}
