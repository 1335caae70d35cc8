import type { Evaluation } from '../../core/evaluation.ts';
import type { Stage } from './compile.ts';
import type { CounterStore, Moment, Take } from './counter-store.ts';
import { Loan, type LoanTerms, usedAt } from './loan.ts';
import type { Made, RecentChecks, Taken } from './recent-checks.ts';

/** A check on its way through a step: its place among the recent ones, where Envoy gave it an id. */
export interface Attempt {
  readonly evaluation: Evaluation;
  readonly made: Made | undefined;
}

/** What a step does. */
export interface Taker {
  readonly take: (attempt: Attempt) => Taken | Promise<Taken>;
  /** Answers a check that took already as it was answered then. */
  readonly repeat: (known: Taken, evaluation: Evaluation) => Taken | Promise<Taken>;
}

/** What was taken from one store. */
export interface TakenFrom {
  readonly store: CounterStore;
  readonly takes: readonly Take[];
}

/** One step of limits, at which a check takes once, however often Envoy asks again. */
export class TakeOnce {
  readonly #recent: RecentChecks;
  readonly #owner: number;
  readonly #isUsed: LoanTerms['isUsed'];
  readonly #taker: Taker;

  constructor(recent: RecentChecks, stage: Stage, taker: Taker) {
    this.#recent = recent;
    this.#owner = recent.newOwner();
    this.#isUsed = usedAt(stage);
    this.#taker = taker;
  }

  run(evaluation: Evaluation): Taken | Promise<Taken> {
    const { request, monotonicMs } = evaluation;
    if (request.id === '') return this.#taker.take({ evaluation, made: undefined });
    const known = this.#recent.find(this.#owner, request, monotonicMs);
    if (known !== undefined) return this.#again(known, evaluation);
    const { made } = this.#recent;
    const taken = this.#taker.take({ evaluation, made });
    this.#recent.remember(made, taken, monotonicMs);
    if (!(taken instanceof Promise)) return taken;
    // What was waited for is kept as what it came to: promises of thousands of checks would have to be collected again.
    return taken.then((settled) => {
      this.#recent.remember(made, settled, monotonicMs);
      return settled;
    });
  }

  #again(known: Taken | Promise<Taken>, evaluation: Evaluation): Taken | Promise<Taken> {
    if (known instanceof Promise) return known.then((taken) => this.#again(taken, evaluation));
    // Between two looks it was given back: nothing stands for this check, so it takes for itself.
    if (known.loan?.join(evaluation) === false) return this.#taker.take({ evaluation, made: undefined });
    return this.#taker.repeat(known, evaluation);
  }

  /** What was taken is lent to the check, and given back when neither it nor a retry of it has used it. */
  lend({ evaluation, made }: Attempt, lent: readonly TakenFrom[]): Taken {
    const loan = new Loan({
      isUsed: this.#isUsed,
      giveBack: () => {
        if (made !== undefined) this.#recent.forget(made);
        for (const taken of lent) giveBack(taken, evaluation);
      },
    });
    loan.join(evaluation);
    return { refusal: undefined, loan };
  }
}

/** Gives back, for which nobody waits. What cannot be given back stays taken: the safe side. */
export function giveBack({ store, takes }: TakenFrom, taken: Moment): void {
  try {
    const given = store.giveBack(takes, taken);
    if (given instanceof Promise) given.catch(() => undefined);
  } catch {
    // As above.
  }
}
