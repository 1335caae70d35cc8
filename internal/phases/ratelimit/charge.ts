// What one check takes from limits: their keys, their cost.
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { isError, Uint } from '../../match/expression/value.ts';
import { type CompiledLimit, digest } from './compile.ts';
import type { Take } from './counter-store.ts';

/** Limits that apply to a check, and the counters it takes from: those of each limit's rates, in the order of limits. */
export interface Charges {
  readonly limits: CompiledLimit[];
  readonly takes: Take[];
}

export const noCharges = (): Charges => ({ limits: [], takes: [] });

/**
 * Adds what a check takes from a limit; nothing when its key is missing and skipped.
 *
 * @returns why it cannot be told
 */
export function addCharge(charges: Charges, limit: CompiledLimit, evaluation: Evaluation): Refusal | undefined {
  const key = keyOf(limit, evaluation);
  if (typeof key !== 'string') return key;
  const cost = costOf(limit, evaluation);
  if (typeof cost !== 'number') return cost;
  charges.limits.push(limit);
  for (const { rate, prefix } of limit.rates) charges.takes.push({ key: prefix + key, rate, cost });
  return undefined;
}

/** The charges of those of the limits that are wanted. */
export function chargesOf({ limits, takes }: Charges, isWanted: (limit: CompiledLimit) => boolean): Charges {
  const wanted = noCharges();
  let position = 0;
  for (const limit of limits) {
    const end = position + limit.rates.length;
    if (isWanted(limit)) {
      wanted.limits.push(limit);
      wanted.takes.push(...takes.slice(position, end));
    }
    position = end;
  }
  return wanted;
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
  const result = limit.cost.evaluate(evaluation);
  const value = result instanceof Uint ? result.value : result;
  const cost = typeof value === 'bigint' || typeof value === 'number' ? Number(value) : Number.NaN;
  if (Number.isInteger(cost) && cost >= 0 && cost <= limit.maxCost) return cost;
  return {
    reason: 'expression_error',
    rule: limit.name,
    cause: `the cost is no whole number from 0 to ${limit.maxCost}`,
  };
}
