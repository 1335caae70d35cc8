import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { addCharge, noCharges } from './charge.ts';
import type { CompiledLimit } from './compile.ts';
import type { CounterStore, Take } from './counter-store.ts';
import { isLent, Loan, type LoanTerms, usedAt } from './loan.ts';
import { type Made, PASSED, type RecentChecks, type Taken } from './recent-checks.ts';
import { isWhole } from './verdict.ts';

/** What a limit in Audit needs of its instance. */
export interface AuditPorts {
  readonly local: CounterStore;
  readonly recent: RecentChecks;
}

/**
 * A limit in Audit: it counts for itself, always locally, and says what it would refuse. It counts what an enforced one
 * would: a retried check once, and nothing that has to be given back.
 */
export class AuditedLimit {
  readonly #limit: CompiledLimit;
  readonly #ports: AuditPorts;
  readonly #owner: number;
  readonly #isUsed: LoanTerms['isUsed'];
  readonly #usedUp: Taken;

  constructor(limit: CompiledLimit, ports: AuditPorts) {
    this.#limit = limit;
    this.#ports = ports;
    this.#owner = ports.recent.newOwner();
    this.#isUsed = usedAt(limit.stage);
    const refusal: Refusal = Object.freeze({ reason: 'rate_limited', rule: limit.name });
    this.#usedUp = Object.freeze({ refusal, loan: undefined });
  }

  count(evaluation: Evaluation): void {
    const { refusal } = this.#once(evaluation);
    if (refusal !== undefined) evaluation.refuse(refusal, 'Audit');
  }

  /** Takes, unless a retried check did so already. */
  #once(evaluation: Evaluation): Taken {
    const { request, monotonicMs } = evaluation;
    const { recent } = this.#ports;
    if (request.id === '') return this.#take(evaluation, undefined);
    const known = recent.find(this.#owner, request, monotonicMs);
    if (known === undefined) {
      const { made } = recent;
      const taken = this.#take(evaluation, made);
      recent.remember(made, taken, monotonicMs);
      return taken;
    }
    // Nobody waits for what Audit would say: no promise is ever remembered.
    if (known instanceof Promise) return PASSED;
    return known.loan?.join(evaluation) === false ? this.#take(evaluation, undefined) : known;
  }

  #take(evaluation: Evaluation, made: Made | undefined): Taken {
    const charges = noCharges();
    const untold = addCharge(charges, this.#limit, evaluation);
    if (untold !== undefined) return { refusal: untold, loan: undefined };
    const { takes } = charges;
    if (takes.length === 0) return PASSED;
    const states = this.#ports.local.take(takes, evaluation);
    if (states instanceof Promise) {
      // That it cannot be said must not end the process either.
      states.catch(() => undefined);
      return PASSED;
    }
    if (!isWhole(states, takes)) return PASSED;
    for (const state of states) if (!state.isWithin) return this.#usedUp;
    return isLent(this.#limit) ? this.#lend({ takes, evaluation, made }) : PASSED;
  }

  #lend({ takes, evaluation, made }: Lent): Taken {
    const { local, recent } = this.#ports;
    const loan = new Loan({
      isUsed: this.#isUsed,
      giveBack: () => {
        if (made !== undefined) recent.forget(made);
        local.giveBack(takes, evaluation);
      },
    });
    loan.join(evaluation);
    return { refusal: undefined, loan };
  }
}

interface Lent {
  readonly takes: readonly Take[];
  readonly evaluation: Evaluation;
  readonly made: Made | undefined;
}
