import type { Evaluation, StepResult } from '../../core/evaluation.ts';
import { type Answer, ask, leftIn, NO_STATES, type Part, type States } from './answer.ts';
import { AuditedLimit } from './audited-limit.ts';
import { addCharge, type Charges, chargesOf, noCharges } from './charge.ts';
import type { CompiledLimit, Stage } from './compile.ts';
import type { CounterStore } from './counter-store.ts';
import { isLent } from './loan.ts';
import type { RateLimitPorts } from './ratelimit.ts';
import { PASSED, type Taken } from './recent-checks.ts';
import { type Attempt, giveBack, TakeOnce } from './take-once.ts';
import { addFields, isWhole } from './verdict.ts';

/** The limits of one stage: those that are enforced are taken all or none. */
export class StageStep {
  readonly #enforced: readonly CompiledLimit[];
  readonly #audited: readonly AuditedLimit[];
  readonly #ports: RateLimitPorts;
  /** Where the enforced limits count; undefined where some count here and some are shared. */
  readonly #store: CounterStore | undefined;
  readonly #stage: Stage;
  readonly #isLending: boolean;
  readonly #once: TakeOnce;

  constructor(limits: readonly CompiledLimit[], stage: Stage, ports: RateLimitPorts) {
    const enforced = limits.filter((limit) => limit.mode === 'Enforce');
    this.#enforced = enforced;
    this.#audited = limits.filter((limit) => limit.mode === 'Audit').map((limit) => new AuditedLimit(limit, ports));
    this.#ports = ports;
    if (enforced.every(isLocal) || ports.shared === ports.local) this.#store = ports.local;
    else this.#store = enforced.some(isLocal) ? undefined : ports.shared;
    this.#stage = stage;
    this.#isLending = enforced.some(isLent);
    this.#once = new TakeOnce(ports.recent, stage, {
      take: (attempt) => this.#take(attempt),
      repeat: (known, evaluation) => this.#repeat(known, evaluation),
    });
  }

  run(evaluation: Evaluation): StepResult | Promise<StepResult> {
    let counting: Promise<void>[] | undefined;
    for (let i = 0; i < this.#audited.length; i += 1) {
      const counted = this.#audited[i]?.count(evaluation);
      if (counted === undefined) continue;
      counting ??= [];
      counting.push(counted);
    }
    const taken = this.#enforced.length === 0 ? PASSED : this.#once.run(evaluation);
    if (counting !== undefined) return Promise.all([taken, ...counting]).then(([{ refusal }]) => refusal);
    return taken instanceof Promise ? taken.then(({ refusal }) => refusal) : taken.refusal;
  }

  #take(attempt: Attempt): Taken | Promise<Taken> {
    const { evaluation } = attempt;
    const charges = noCharges();
    const enforced = this.#enforced;
    for (let i = 0; i < enforced.length; i += 1) {
      const limit = enforced[i];
      if (limit === undefined) throw new Error('A list of limits has a hole');
      // An enforced limit is never one of a policy in Audit, unless a baseline's, which Audit does not lift.
      const refusal = addCharge(charges, limit, evaluation);
      if (refusal !== undefined) return { refusal, loan: undefined };
    }
    if (charges.limits.length === 0) return PASSED;
    const store = this.#store;
    if (store === undefined) return this.#takeLocalFirst(charges, attempt);
    const answer = ask({ charges, store }, this.#ports.spare, evaluation);
    return answer instanceof Promise
      ? answer.then((settled) => this.#settle(attempt, settled))
      : this.#settle(attempt, answer);
  }

  /** What counts here is taken first: it can be given back at once, should the shared store refuse. */
  #takeLocalFirst(charges: Charges, attempt: Attempt): Taken | Promise<Taken> {
    const [local, shared] = this.#parts(charges);
    const first = ask(local, this.#ports.spare, attempt.evaluation);
    return first instanceof Promise
      ? first.then((answer) => this.#takeShared(shared, answer, attempt))
      : this.#takeShared(shared, first, attempt);
  }

  #takeShared(shared: Part, local: Answer, attempt: Attempt): Taken | Promise<Taken> {
    if (local.refusal !== undefined) return this.#settle(attempt, local);
    const answer = ask(shared, this.#ports.spare, attempt.evaluation);
    return answer instanceof Promise
      ? answer.then((settled) => this.#settle(attempt, settled, local))
      : this.#settle(attempt, answer, local);
  }

  #parts(charges: Charges): readonly [local: Part, shared: Part] {
    const { local, shared } = this.#ports;
    return [
      { charges: chargesOf(charges, isLocal), store: local },
      { charges: chargesOf(charges, isShared), store: shared },
    ];
  }

  /** @param before what was taken already, of which nothing stays where the rest is refused */
  #settle(attempt: Attempt, answer: Answer, before?: Answer): Taken {
    const { evaluation } = attempt;
    const { refusal } = answer;
    if (refusal !== undefined) {
      if (before !== undefined) giveBack({ store: before.store, takes: before.charges.takes }, evaluation);
      addFields(answer, evaluation);
      return { refusal, loan: undefined };
    }
    if (this.#stage !== 'AuthenticationFailure') {
      if (before !== undefined) addFields(before, evaluation);
      addFields(answer, evaluation);
    }
    return this.#isLending ? this.#lend(attempt, before === undefined ? [answer] : [before, answer]) : PASSED;
  }

  #lend(attempt: Attempt, parts: readonly Part[]): Taken {
    const lent = parts
      .map(({ charges, store }) => ({ store, takes: chargesOf(charges, isLent).takes }))
      .filter(({ takes }) => takes.length > 0);
    return lent.length === 0 ? PASSED : this.#once.lend(attempt, lent);
  }

  /** What a guess took is given back once it proves right: told before, it would show one used that never was. */
  #isShown(isRefused: boolean): boolean {
    return isRefused || this.#stage !== 'AuthenticationFailure';
  }

  /** The same answer once more, with what is left by now. */
  #repeat(known: Taken, evaluation: Evaluation): Taken | Promise<Taken> {
    if (!this.#isShown(known.refusal !== undefined)) return known;
    const charges = noCharges();
    for (const limit of this.#enforced) addCharge(charges, limit, evaluation);
    const parts = this.#store === undefined ? this.#parts(charges) : [{ charges, store: this.#store }];
    const left = parts.map((part) => leftIn(part, evaluation));
    const tell = (all: readonly States[]): Taken => {
      for (const [index, { charges: asked }] of parts.entries()) {
        const states = all[index] ?? NO_STATES;
        if (isWhole(states, asked.takes)) addFields({ charges: asked, states }, evaluation);
      }
      return known;
    };
    return isTold(left) ? tell(left) : Promise.all(left).then(tell);
  }
}

const isTold = (left: readonly (States | Promise<States>)[]): left is readonly States[] =>
  !left.some((states) => states instanceof Promise);
const isShared = (limit: CompiledLimit): boolean => limit.isShared;
const isLocal = (limit: CompiledLimit): boolean => !limit.isShared;
