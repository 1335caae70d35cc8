import type { HeaderEdit, Refusal } from '../../core/decision.ts';
import type { Evaluation, Step, StepResult } from '../../core/evaluation.ts';
import { isError } from '../../match/expression/value.ts';
import { type CompiledLimit, digest, type Stage } from './compile.ts';
import type { CounterState, CounterStore, Moment, Take } from './counter-store.ts';
import { RecentChecks } from './recent-checks.ts';

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

/** A limit with the counters that one check takes from. */
interface Charge {
  readonly limit: CompiledLimit;
  readonly takes: readonly Take[];
}

/**
 * The step of one stage: all its limits are taken or none. Limits in Audit count for themselves.
 *
 * @returns undefined when the stage has no limit
 */
export function rateLimitStep(limits: readonly CompiledLimit[], stage: Stage, ports: RateLimitPorts): Step | undefined {
  const own = limits.filter((limit) => limit.stage === stage);
  if (own.length === 0) return undefined;
  const enforced = own.filter((limit) => limit.mode === 'Enforce');
  const audited = own.filter((limit) => limit.mode === 'Audit');
  const owner = ports.recent.newOwner();
  return (evaluation) => {
    // Only what is presented can be guessed: a request without credential fails for free.
    if (stage === 'AuthenticationFailure' && evaluation.credential === undefined) return undefined;
    const { request, monotonicMs } = evaluation;
    const { recent } = ports;
    if (request.id === '') return takeAll({ enforced, audited, evaluation, ports });
    if (recent.has(owner, request, monotonicMs)) return recent.result;
    const { made } = recent;
    const result = takeAll({ enforced, audited, evaluation, ports });
    if (!(result instanceof Promise)) {
      recent.remember(made, result, monotonicMs);
      return result;
    }
    return result.then((settled) => {
      recent.remember(made, settled, monotonicMs);
      return settled;
    });
  };
}

interface Stageful {
  readonly enforced: readonly CompiledLimit[];
  readonly audited: readonly CompiledLimit[];
  readonly evaluation: Evaluation;
  readonly ports: RateLimitPorts;
}

function takeAll({ enforced, audited, evaluation, ports }: Stageful): StepResult | Promise<StepResult> {
  auditAll(audited, evaluation, ports);
  const charges: Charge[] = [];
  for (const limit of enforced) {
    const charge = chargeOf(limit, evaluation);
    if (charge === undefined) continue;
    if ('reason' in charge) {
      const refusal = evaluation.refuse(charge);
      if (refusal !== undefined) return refusal;
      continue;
    }
    charges.push(charge);
  }
  if (charges.length === 0) return undefined;
  const store = charges.some((charge) => charge.limit.isShared) ? ports.shared : ports.local;
  const takes = charges.flatMap((charge) => charge.takes);
  const settle = (states: readonly CounterState[]): StepResult | Promise<StepResult> =>
    isWhole(states, takes) ? judge(charges, states, { evaluation, store }) : withoutStore(charges, evaluation, ports);
  let states: ReturnType<CounterStore['take']>;
  try {
    states = store.take(takes, evaluation);
  } catch {
    return withoutStore(charges, evaluation, ports);
  }
  return states instanceof Promise
    ? states.then(settle, () => withoutStore(charges, evaluation, ports))
    : settle(states);
}

/** Whether a store has answered for every counter: one that says nothing of a counter has not let it pass. */
const isWhole = (states: readonly CounterState[], takes: readonly Take[]): boolean =>
  Array.isArray(states) && states.length === takes.length;

/** Counts what limits in Audit would refuse; always locally and for themselves. */
function auditAll(audited: readonly CompiledLimit[], evaluation: Evaluation, ports: RateLimitPorts): void {
  for (const limit of audited) {
    const charge = chargeOf(limit, evaluation);
    if (charge === undefined) continue;
    if ('reason' in charge) {
      evaluation.refuse(charge, 'Audit');
      continue;
    }
    const states = ports.local.take(charge.takes, evaluation);
    if (states instanceof Promise) {
      // Nobody waits for what Audit would say; that it cannot be said must not end the process either.
      states.catch(() => undefined);
    } else if (isWhole(states, charge.takes) && states.some((state) => !state.isWithin)) {
      evaluation.refuse({ reason: 'rate_limited', rule: limit.name }, 'Audit');
    }
  }
}

/** What a check takes from a limit: nothing when its key is missing and skipped, or why it cannot be told. */
function chargeOf(limit: CompiledLimit, evaluation: Evaluation): Charge | Refusal | undefined {
  const key = keyOf(limit, evaluation);
  if (typeof key !== 'string') return key;
  const cost = costOf(limit, evaluation);
  if (typeof cost !== 'number') return cost;
  return { limit, takes: limit.rates.map(({ rate, prefix }) => ({ key: prefix + key, rate, cost })) };
}

/** Hash of the key's values: parts with their types and lengths, so that no two keys read alike. */
function keyOf(limit: CompiledLimit, evaluation: Evaluation): string | Refusal | undefined {
  if (limit.key.length === 0) return '';
  const parts: string[] = [];
  for (const { expression, missing } of limit.key) {
    const value = expression.key(evaluation);
    if (isError(value)) return { reason: 'expression_error', rule: limit.name, cause: value.message };
    if (value !== null) parts.push(`v${value}`);
    else if (missing === 'Skip') return undefined;
    else if (missing === 'Deny') return { reason: 'limit_key_missing', rule: limit.name };
    else parts.push('n');
  }
  return digest(parts);
}

function costOf(limit: CompiledLimit, evaluation: Evaluation): number | Refusal {
  if (limit.cost === undefined) return 1;
  const value = limit.cost.evaluate(evaluation);
  const cost = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN;
  if (Number.isInteger(cost) && cost >= 0 && cost <= limit.maxCost) return cost;
  return {
    reason: 'expression_error',
    rule: limit.name,
    cause: `the cost is no whole number from 0 to ${limit.maxCost}`,
  };
}

interface Taken {
  readonly evaluation: Evaluation;
  readonly store: CounterStore;
}

function judge(charges: readonly Charge[], states: readonly CounterState[], { evaluation, store }: Taken): StepResult {
  addHeaders(charges, states, evaluation);
  const failed = states.some((state) => !state.isWithin);
  if (failed) return refusalOf(charges, states);
  for (const { limit, takes } of charges) {
    if (limit.stage === 'AuthenticationFailure') settleGuess(takes, evaluation, store);
    else if (!limit.countDenied) settleDenied(takes, evaluation, store);
  }
  return undefined;
}

/** A guess is given back once the credential proved right, and when nobody could tell: an outage is no guess. */
function settleGuess(takes: readonly Take[], evaluation: Evaluation, store: CounterStore): void {
  evaluation.settlements ??= [];
  evaluation.settlements.push((outcome) => {
    const { kind } = evaluation.identity;
    const isProven = kind !== 'anonymous' && kind !== 'unauthenticated';
    if (isProven || outcome === 'fault') store.giveBack(takes, evaluation);
  });
}

function settleDenied(takes: readonly Take[], evaluation: Evaluation, store: CounterStore): void {
  evaluation.settlements ??= [];
  evaluation.settlements.push((outcome) => {
    if (outcome !== 'allow') store.giveBack(takes, evaluation);
  });
}

function refusalOf(charges: readonly Charge[], states: readonly CounterState[]): Refusal {
  let waitMs = 0;
  let rule: string | undefined;
  let position = 0;
  for (const { limit, takes } of charges) {
    for (const state of states.slice(position, position + takes.length)) {
      if (state.isWithin) continue;
      rule ??= limit.name;
      waitMs = Math.max(waitMs, state.waitMs);
    }
    position += takes.length;
  }
  return {
    reason: 'rate_limited',
    retryAfterS: Math.max(1, Math.ceil(waitMs / 1000)),
    ...(rule !== undefined && { rule }),
  };
}

/** RateLimit and RateLimit-Policy (draft-ietf-httpapi-ratelimit-headers-10), one item for each rate. */
function addHeaders(charges: readonly Charge[], states: readonly CounterState[], evaluation: Evaluation): void {
  let items = '';
  let policies = '';
  let position = 0;
  for (const { limit } of charges) {
    for (const { label, policyItem } of limit.rates) {
      const state = states[position];
      position += 1;
      const separator = items === '' ? '' : ', ';
      items += `${separator}${label};r=${state?.remaining ?? 0};t=${Math.ceil((state?.waitMs ?? 0) / 1000)}`;
      policies += `${separator}${policyItem}`;
    }
  }
  evaluation.answerHeaders ??= [];
  extend(evaluation.answerHeaders, 'ratelimit', items);
  extend(evaluation.answerHeaders, 'ratelimit-policy', policies);
}

/** One field for all stages: a list that grows. */
function extend(headers: HeaderEdit[], name: string, items: string): void {
  const index = headers.findIndex((header) => header.name === name);
  const known = headers[index];
  if (known === undefined) headers.push({ name, value: items, action: 'Append' });
  else headers[index] = { ...known, value: `${known.value}, ${items}` };
}

const STORE_DOWN: Refusal = Object.freeze({ reason: 'limit_store_unavailable', retryAfterS: 1 });

/** The store cannot answer: each limit's `onFault` says what that means. */
function withoutStore(
  charges: readonly Charge[],
  evaluation: Evaluation,
  ports: RateLimitPorts,
): StepResult | Promise<StepResult> {
  if (charges.some((charge) => charge.limit.onFault === 'Deny')) return STORE_DOWN;
  const local = charges.filter((charge) => charge.limit.onFault === 'LocalShare');
  if (local.length === 0) return undefined;
  const takes = local.flatMap((charge) => charge.takes);
  const settle = (states: readonly CounterState[]): StepResult =>
    isWhole(states, takes) ? judge(local, states, { evaluation, store: ports.local }) : STORE_DOWN;
  const states = ports.local.take(takes, evaluation as Moment);
  return states instanceof Promise ? states.then(settle) : settle(states);
}
