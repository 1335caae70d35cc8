import type { Evaluation, Outcome } from '../../core/evaluation.ts';
import type { CompiledLimit, Stage } from './compile.ts';

export interface LoanTerms {
  /** Whether a check that ends so has used what was taken. */
  readonly isUsed: (evaluation: Evaluation, outcome: Outcome) => boolean;
  /** Called once, when no check has used it and none is left that could. */
  readonly giveBack: () => void;
}

/** What was taken and may have to be given back. A check and its retries share it, for together they took it once. */
export class Loan {
  readonly #terms: LoanTerms;
  /** Checks that have not come to an end yet. */
  #open = 0;
  #isUsed = false;
  #isOver = false;

  constructor(terms: LoanTerms) {
    this.#terms = terms;
  }

  /** Lets a check share it; false when it was given back already, so that the check has to take for itself. */
  join(evaluation: Evaluation): boolean {
    if (this.#isOver) return false;
    if (this.#isUsed) return true;
    this.#open += 1;
    evaluation.settlements ??= [];
    evaluation.settlements.push((outcome) => this.#settle(evaluation, outcome));
    return true;
  }

  #settle(evaluation: Evaluation, outcome: Outcome): void {
    this.#open -= 1;
    this.#isUsed ||= this.#terms.isUsed(evaluation, outcome);
    if (this.#isUsed || this.#open > 0) return;
    this.#isOver = true;
    this.#terms.giveBack();
  }
}

/** What the end of the check decides on. */
export const isLent = ({ stage, countDenied }: CompiledLimit): boolean =>
  stage === 'AuthenticationFailure' || !countDenied;

/** When what a stage took counts as used. */
export const usedAt = (stage: Stage): LoanTerms['isUsed'] =>
  stage === 'AuthenticationFailure' ? isFailedGuess : isAllowed;

/** A guess costs nothing once the credential proved right, nor when nobody could tell: an outage is no guess. */
const isFailedGuess: LoanTerms['isUsed'] = ({ identity: { kind } }, outcome) =>
  (kind === 'anonymous' || kind === 'unauthenticated') && outcome !== 'fault';

const isAllowed: LoanTerms['isUsed'] = (_evaluation, outcome) => outcome === 'allow';
