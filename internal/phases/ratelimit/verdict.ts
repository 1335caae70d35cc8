// What counters say, in a refusal and in the fields of an answer.
import type { HeaderEdit, Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { Charges } from './charge.ts';
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
  for (const { rates } of limits) {
    for (const { label, policyItem } of rates) {
      const state = states[position];
      position += 1;
      const item = `${label};r=${state?.remaining ?? 0};t=${Math.ceil((state?.waitMs ?? 0) / 1000)}`;
      items = items === '' ? item : `${items}, ${item}`;
      policies = policies === '' ? policyItem : `${policies}, ${policyItem}`;
    }
  }
  evaluation.answerHeaders ??= [];
  extend(evaluation.answerHeaders, 'ratelimit', items);
  extend(evaluation.answerHeaders, 'ratelimit-policy', policies);
}

/** One field for all stages: a list that grows. */
function extend(headers: HeaderEdit[], name: string, items: string): void {
  for (let i = 0; i < headers.length; i += 1) {
    const known = headers[i];
    if (known?.name !== name) continue;
    headers[i] = { ...known, value: `${known.value}, ${items}` };
    return;
  }
  headers.push({ name, value: items, action: 'Append' });
}
