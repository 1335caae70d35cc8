import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { addCharge, type Charges, noCharges } from './charge.ts';
import type { CompiledLimit } from './compile.ts';
import type { CounterState, CounterStore } from './counter-store.ts';
import { isLent } from './loan.ts';
import { PASSED, type RecentChecks, type Taken } from './recent-checks.ts';
import { type Attempt, TakeOnce } from './take-once.ts';
import { isWhole } from './verdict.ts';

/** What a limit in Audit needs of its instance. */
export interface AuditPorts {
  readonly local: CounterStore;
  /** Where it counts while that cannot answer. */
  readonly spare: CounterStore;
  readonly recent: RecentChecks;
}

/**
 * A limit in Audit: it counts for itself, never in a shared store, and says what it would refuse. It counts what an enforced one
 * would: a retried check once, and nothing that has to be given back.
 */
export class AuditedLimit {
  readonly #limit: CompiledLimit;
  readonly #local: CounterStore;
  readonly #spare: CounterStore;
  readonly #once: TakeOnce;
  readonly #usedUp: Taken;

  constructor(limit: CompiledLimit, { local, spare, recent }: AuditPorts) {
    this.#limit = limit;
    this.#local = local;
    this.#spare = spare;
    this.#once = new TakeOnce(recent, limit.stage, {
      take: (attempt) => this.#take(attempt),
      repeat: (known) => known,
    });
    const refusal: Refusal = Object.freeze({ reason: 'rate_limited', rule: limit.name });
    this.#usedUp = Object.freeze({ refusal, loan: undefined });
  }

  /** Never rejects; a promise where another process has the counters: what it would refuse belongs into the decision. */
  count(evaluation: Evaluation): Promise<void> | undefined {
    const taken = this.#once.run(evaluation);
    if (taken instanceof Promise) return taken.then((settled) => tell(settled, evaluation));
    tell(taken, evaluation);
    return undefined;
  }

  #take(attempt: Attempt): Taken | Promise<Taken> {
    const charges = noCharges();
    const untold = addCharge(charges, this.#limit, attempt.evaluation);
    if (untold !== undefined) return { refusal: untold, loan: undefined };
    return charges.takes.length === 0 ? PASSED : this.#takeFrom(this.#local, charges, attempt);
  }

  /** Where the store cannot answer, it counts in the spare one; where that one cannot either, nothing is said. */
  #takeFrom(store: CounterStore, charges: Charges, attempt: Attempt): Taken | Promise<Taken> {
    const instead = (): Taken | Promise<Taken> =>
      store === this.#spare ? PASSED : this.#takeFrom(this.#spare, charges, attempt);
    let states: ReturnType<CounterStore['take']>;
    try {
      states = store.take(charges.takes, attempt.evaluation);
    } catch {
      return instead();
    }
    if (!(states instanceof Promise)) return this.#judge(states, { store, charges, attempt });
    return states.then((settled) => this.#judge(settled, { store, charges, attempt }), instead);
  }

  #judge(states: readonly CounterState[], { store, charges: { takes }, attempt }: Asked): Taken {
    if (!isWhole(states, takes)) return PASSED;
    for (const state of states) if (!state.isWithin) return this.#usedUp;
    return isLent(this.#limit) ? this.#once.lend(attempt, [{ store, takes }]) : PASSED;
  }
}

interface Asked {
  readonly store: CounterStore;
  readonly charges: Charges;
  readonly attempt: Attempt;
}

function tell({ refusal }: Taken, evaluation: Evaluation): void {
  if (refusal !== undefined) evaluation.refuse(refusal, 'Audit');
}
