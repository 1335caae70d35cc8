// What one store says of the limits that count in it, also where it cannot answer.
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { type Charges, chargesOf, noCharges } from './charge.ts';
import type { CompiledLimit } from './compile.ts';
import type { CounterState, CounterStore } from './counter-store.ts';
import { isWhole, refusalOf } from './verdict.ts';

export type States = readonly CounterState[];

/** Limits that count in one store. */
export interface Part {
  readonly charges: Charges;
  readonly store: CounterStore;
}

/** They are taken, or refused and nothing is. */
export interface Answer extends Part {
  readonly states: States;
  readonly refusal: Refusal | undefined;
}

export const NO_STATES: States = Object.freeze([]);
const STORE_DOWN: Refusal = Object.freeze({ reason: 'limit_store_unavailable', retryAfterS: 1 });

/** @param spare where limits with `LocalShare` count while the store cannot answer */
export function ask(part: Part, spare: CounterStore, evaluation: Evaluation): Answer | Promise<Answer> {
  const { charges, store } = part;
  if (charges.limits.length === 0) return answerOf(part, NO_STATES);
  let states: ReturnType<CounterStore['take']>;
  try {
    states = store.take(charges.takes, evaluation);
  } catch {
    return askSpare(charges, spare, evaluation);
  }
  if (!(states instanceof Promise)) return judge(part, states) ?? askSpare(charges, spare, evaluation);
  return states.then(
    (settled) => judge(part, settled) ?? askSpare(charges, spare, evaluation),
    () => askSpare(charges, spare, evaluation),
  );
}

/** The store cannot answer: each limit's `onFault` says what that means. */
function askSpare(charges: Charges, store: CounterStore, evaluation: Evaluation): Answer | Promise<Answer> {
  const down: Answer = { charges: noCharges(), store, states: NO_STATES, refusal: STORE_DOWN };
  if (charges.limits.some(isDenied)) return down;
  const part: Part = { charges: chargesOf(charges, isCountedHere), store };
  if (part.charges.limits.length === 0) return answerOf(part, NO_STATES);
  const states = store.take(part.charges.takes, evaluation);
  return states instanceof Promise
    ? states.then((settled) => judge(part, settled) ?? down)
    : (judge(part, states) ?? down);
}

/** What counters hold, without taking from them; nothing where it cannot be told. */
export function leftIn({ charges, store }: Part, evaluation: Evaluation): States | Promise<States> {
  if (charges.limits.length === 0) return NO_STATES;
  const asks = charges.takes.map((take) => ({ ...take, cost: 0 }));
  try {
    const states = store.take(asks, evaluation);
    return states instanceof Promise ? states.catch(() => NO_STATES) : states;
  } catch {
    return NO_STATES;
  }
}

/** @returns undefined when the store has not answered for every counter */
const judge = (part: Part, states: States): Answer | undefined =>
  isWhole(states, part.charges.takes) ? answerOf(part, states) : undefined;

const answerOf = ({ charges, store }: Part, states: States): Answer => ({
  charges,
  store,
  states,
  refusal: states.every(isWithin) ? undefined : refusalOf(charges, states),
});

const isWithin = (state: CounterState): boolean => state.isWithin;
const isDenied = ({ onFault }: CompiledLimit): boolean => onFault === 'Deny';
const isCountedHere = ({ onFault }: CompiledLimit): boolean => onFault === 'LocalShare';
