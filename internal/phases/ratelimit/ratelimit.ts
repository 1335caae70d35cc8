import type { Refusal } from '../../core/decision.ts';
import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { AuditedLimit } from './audited-limit.ts';
import { addCharge, type Charges, chargesOf, noCharges } from './charge.ts';
import type { CompiledLimit, Stage } from './compile.ts';
import type { CounterState, CounterStore } from './counter-store.ts';
import { isLent, Loan, type LoanTerms, usedAt } from './loan.ts';
import { type Made, PASSED, RecentChecks, type Taken } from './recent-checks.ts';
import { addFields, isWhole, refusalOf } from './verdict.ts';

/** What limits need of their instance. */
export interface RateLimitPorts {
  /** Where shared counters live; the local store where the instance has no other. */
  readonly shared: CounterStore;
  readonly local: CounterStore;
  readonly recent: RecentChecks;
}

export const createRateLimitPorts = (local: CounterStore, shared: CounterStore = local): RateLimitPorts => ({
  shared,
  local,
  recent: new RecentChecks(),
});

/**
 * The step of one stage: all its limits are taken or none. Limits in Audit count for themselves, each apart.
 *
 * @returns undefined when the stage has no limit
 */
export function rateLimitStep(limits: readonly CompiledLimit[], stage: Stage, ports: RateLimitPorts): Step | undefined {
  const own = limits.filter((limit) => limit.stage === stage);
  if (own.length === 0) return undefined;
  const step = new StageStep(own, stage, ports);
  // Only what is presented can be guessed: a request without credential fails for free.
  if (stage !== 'AuthenticationFailure') return (evaluation) => step.run(evaluation);
  return (evaluation) => (presentsCredential(evaluation) ? step.run(evaluation) : undefined);
}

const presentsCredential = ({ credential, rejection }: Evaluation): boolean =>
  credential !== undefined || rejection !== undefined;

const STORE_DOWN: Taken = Object.freeze({
  refusal: Object.freeze<Refusal>({ reason: 'limit_store_unavailable', retryAfterS: 1 }),
  loan: undefined,
});

/** A check on its way through a step: its place among the recent ones, where Envoy gave it an id. */
interface Attempt {
  readonly evaluation: Evaluation;
  readonly made: Made | undefined;
}

class StageStep {
  readonly #enforced: readonly CompiledLimit[];
  readonly #audited: readonly AuditedLimit[];
  readonly #ports: RateLimitPorts;
  readonly #owner: number;
  readonly #isUsed: LoanTerms['isUsed'];
  readonly #stage: Stage;

  constructor(limits: readonly CompiledLimit[], stage: Stage, ports: RateLimitPorts) {
    this.#enforced = limits.filter((limit) => limit.mode === 'Enforce');
    this.#audited = limits.filter((limit) => limit.mode === 'Audit').map((limit) => new AuditedLimit(limit, ports));
    this.#ports = ports;
    this.#owner = ports.recent.newOwner();
    this.#isUsed = usedAt(stage);
    this.#stage = stage;
  }

  /** Takes once, also where Envoy asks again. */
  run(evaluation: Evaluation): StepResult | Promise<StepResult> {
    for (const limit of this.#audited) limit.count(evaluation);
    return this.#enforced.length === 0 ? undefined : this.#enforce(evaluation);
  }

  #enforce(evaluation: Evaluation): StepResult | Promise<StepResult> {
    const { request, monotonicMs } = evaluation;
    const { recent } = this.#ports;
    if (request.id === '') return refusalIn(this.#take({ evaluation, made: undefined }));
    const known = recent.find(this.#owner, request, monotonicMs);
    if (known !== undefined) return this.#repeat(known, evaluation);
    const { made } = recent;
    const taken = this.#take({ evaluation, made });
    recent.remember(made, taken, monotonicMs);
    return refusalIn(taken);
  }

  /** The answer of a check that was asked before. */
  #repeat(known: Taken | Promise<Taken>, evaluation: Evaluation): StepResult | Promise<StepResult> {
    if (known instanceof Promise) return known.then((taken) => this.#repeat(taken, evaluation));
    // Between two looks it was given back: nothing stands for this check, so it takes for itself.
    if (known.loan?.join(evaluation) === false) return refusalIn(this.#take({ evaluation, made: undefined }));
    const charges = noCharges();
    for (const limit of this.#enforced) addCharge(charges, limit, evaluation);
    const asks = charges.takes.map((take) => ({ ...take, cost: 0 }));
    const tell = (states: readonly CounterState[]): StepResult => {
      if (isWhole(states, asks) && this.#isShown(known.refusal !== undefined)) addFields(charges, states, evaluation);
      return known.refusal;
    };
    if (asks.length === 0) return known.refusal;
    try {
      const states = this.#storeOf(charges).take(asks, evaluation);
      return states instanceof Promise ? states.then(tell, () => known.refusal) : tell(states);
    } catch {
      return known.refusal;
    }
  }

  #take(attempt: Attempt): Taken | Promise<Taken> {
    const { evaluation } = attempt;
    const charges = noCharges();
    for (const limit of this.#enforced) {
      const untold = addCharge(charges, limit, evaluation);
      const refusal = untold && evaluation.refuse(untold);
      if (refusal !== undefined) return { refusal, loan: undefined };
    }
    if (charges.limits.length === 0) return PASSED;
    const store = this.#storeOf(charges);
    let states: ReturnType<CounterStore['take']>;
    try {
      states = store.take(charges.takes, evaluation);
    } catch {
      return this.#withoutStore(charges, attempt);
    }
    if (!(states instanceof Promise)) return this.#settle(states, { ...attempt, charges, store });
    return states.then(
      (settled) => this.#settle(settled, { ...attempt, charges, store }),
      () => this.#withoutStore(charges, attempt),
    );
  }

  #storeOf({ limits }: Charges): CounterStore {
    return limits.some(isShared) ? this.#ports.shared : this.#ports.local;
  }

  #settle(states: readonly CounterState[], charged: Charged): Taken | Promise<Taken> {
    return isWhole(states, charged.charges.takes)
      ? this.#judge(states, charged)
      : this.#withoutStore(charged.charges, charged);
  }

  #judge(states: readonly CounterState[], charged: Charged): Taken {
    const { charges, evaluation } = charged;
    const isRefused = !states.every(isWithin);
    if (this.#isShown(isRefused)) addFields(charges, states, evaluation);
    if (isRefused) return { refusal: refusalOf(charges, states), loan: undefined };
    if (!charges.limits.some(isLent)) return PASSED;
    const loan = this.#lend(charged);
    loan.join(evaluation);
    return { refusal: undefined, loan };
  }

  /** What a guess took is given back once it proves right: told before, it would show one used that never was. */
  #isShown(isRefused: boolean): boolean {
    return isRefused || this.#stage !== 'AuthenticationFailure';
  }

  #lend({ charges, evaluation, store, made }: Charged): Loan {
    const { takes } = chargesOf(charges, isLent);
    return new Loan({
      isUsed: this.#isUsed,
      giveBack: () => {
        if (made !== undefined) this.#ports.recent.forget(made);
        store.giveBack(takes, evaluation);
      },
    });
  }

  /** The store cannot answer: each limit's `onFault` says what that means. */
  #withoutStore(charges: Charges, attempt: Attempt): Taken | Promise<Taken> {
    if (charges.limits.some(({ onFault }) => onFault === 'Deny')) return STORE_DOWN;
    const local = chargesOf(charges, ({ onFault }) => onFault === 'LocalShare');
    if (local.limits.length === 0) return PASSED;
    const store = this.#ports.local;
    const settle = (states: readonly CounterState[]): Taken =>
      isWhole(states, local.takes) ? this.#judge(states, { ...attempt, charges: local, store }) : STORE_DOWN;
    const states = store.take(local.takes, attempt.evaluation);
    return states instanceof Promise ? states.then(settle) : settle(states);
  }
}

interface Charged extends Attempt {
  readonly charges: Charges;
  readonly store: CounterStore;
}

const refusalIn = (taken: Taken | Promise<Taken>): StepResult | Promise<StepResult> =>
  taken instanceof Promise ? taken.then(({ refusal }) => refusal) : taken.refusal;

const isWithin = (state: CounterState): boolean => state.isWithin;
const isShared = (limit: CompiledLimit): boolean => limit.isShared;
