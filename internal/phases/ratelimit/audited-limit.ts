import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { addCharge, noCharges } from './charge.ts';
import type { CompiledLimit } from './compile.ts';
import type { CounterStore } from './counter-store.ts';
import { isLent } from './loan.ts';
import { PASSED, type RecentChecks, type Taken } from './recent-checks.ts';
import { type Attempt, TakeOnce } from './take-once.ts';
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
  readonly #store: CounterStore;
  readonly #once: TakeOnce;
  readonly #usedUp: Taken;

  constructor(limit: CompiledLimit, { local, recent }: AuditPorts) {
    this.#limit = limit;
    this.#store = local;
    this.#once = new TakeOnce(recent, limit.stage, {
      take: (attempt) => this.#take(attempt),
      repeat: (known) => known,
    });
    const refusal: Refusal = Object.freeze({ reason: 'rate_limited', rule: limit.name });
    this.#usedUp = Object.freeze({ refusal, loan: undefined });
  }

  count(evaluation: Evaluation): void {
    const taken = this.#once.run(evaluation);
    // Nobody waits for what Audit would say: nothing here ever gives a promise.
    if (taken instanceof Promise || taken.refusal === undefined) return;
    evaluation.refuse(taken.refusal, 'Audit');
  }

  #take(attempt: Attempt): Taken {
    const { evaluation } = attempt;
    const charges = noCharges();
    const untold = addCharge(charges, this.#limit, evaluation);
    if (untold !== undefined) return { refusal: untold, loan: undefined };
    const { takes } = charges;
    if (takes.length === 0) return PASSED;
    const store = this.#store;
    const states = store.take(takes, evaluation);
    if (states instanceof Promise) {
      // That it cannot be said must not end the process either.
      states.catch(() => undefined);
      return PASSED;
    }
    if (!isWhole(states, takes)) return PASSED;
    for (const state of states) if (!state.isWithin) return this.#usedUp;
    return isLent(this.#limit) ? this.#once.lend(attempt, [{ store, takes }]) : PASSED;
  }
}
