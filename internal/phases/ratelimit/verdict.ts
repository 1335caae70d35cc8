// What counters say, in a refusal and in the fields of an answer.
import type { HeaderEdit, Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { Charges } from './charge.ts';
import type { CompiledLimit } from './compile.ts';
import type { CounterState, Take } from './counter-store.ts';

/** Whether a store has answered for every counter: one that says nothing of a counter has not let it pass. */
export const isWhole = (states: readonly CounterState[], takes: readonly Take[]): boolean =>
  Array.isArray(states) && states.length === takes.length;

/** The refusal by the limits that are used up: it names the first, and waits for the last. */
export function refusalOf({ limits }: Charges, states: readonly CounterState[]): Refusal {
  let waitMs = 0;
  let rule: string | undefined;
  let position = 0;
  for (const limit of limits) {
    for (let i = 0; i < limit.rates.length; i += 1) {
      const state = states[position];
      position += 1;
      if (state === undefined || state.isWithin) continue;
      rule ??= limit.name;
      waitMs = Math.max(waitMs, state.waitMs);
    }
  }
  return {
    reason: 'rate_limited',
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
    ...(rule !== undefined && { rule }),
  };
}

/** Counters of limits, and what they say. */
export interface Told {
  readonly charges: Charges;
  readonly states: readonly CounterState[];
}

/**
 * RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), one item for each rate. `t` is when more can
 * be taken, so that who waits for it is let in: for a sliding window that is up to a sixteenth later than its `w`.
 */
export function addFields({ charges: { limits }, states }: Told, evaluation: Evaluation): void {
  if (limits.length === 0) return;
  let items = '';
  let policies = '';
  let position = 0;
  for (let i = 0; i < limits.length; i += 1) {
    const rates = limits[i]?.rates ?? NO_RATES;
    for (let k = 0; k < rates.length; k += 1) {
      const rate = rates[k];
      const state = states[position];
      position += 1;
      if (rate === undefined) continue;
      const item = `${rate.label};r=${state?.remaining ?? 0};t=${Math.ceil((state?.waitMs ?? 0) / 1000)}`;
      items = items === '' ? item : `${items}, ${item}`;
      policies = policies === '' ? rate.policyItem : `${policies}, ${rate.policyItem}`;
    }
  }
  if (evaluation.answerHeaders === undefined) {
    evaluation.answerHeaders = [
      { name: 'ratelimit', value: items, action: 'Append' },
      { name: 'ratelimit-policy', value: policies, action: 'Append' },
    ];
    return;
  }
  const extended = extend(evaluation.answerHeaders, 'ratelimit', items);
  evaluation.answerHeaders = extend(extended, 'ratelimit-policy', policies);
}

const NO_RATES: CompiledLimit['rates'] = Object.freeze([]);

/** One field for all stages: a list that grows. The list before stays as it was, for a decision may have it already. */
function extend(headers: readonly HeaderEdit[], name: string, items: string): readonly HeaderEdit[] {
  const at = headers.findIndex((known) => known.name === name);
  const before = headers[at];
  if (before === undefined) return [...headers, { name, value: items, action: 'Append' }];
  return headers.with(at, { ...before, value: `${before.value}, ${items}` });
}
