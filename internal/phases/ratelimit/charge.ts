// What one check takes from limits: their keys, their cost.
import type { Refusal } from '../../core/decision.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { bounded, describeError } from '../../core/explanation.ts';
import { isError, Uint } from '../../match/expression/value.ts';
import { type CompiledLimit, digest, type KeyPart } from './compile.ts';
import type { Take } from './counter-store.ts';
import { KeyDigests } from './key-digests.ts';

const digests = new KeyDigests();

/** Limits that apply to a check, and the counters it takes from: those of each limit's rates, in the order of limits. */
export interface Charges {
  limits: readonly CompiledLimit[];
  takes: readonly Take[];
}

const NONE: readonly never[] = Object.freeze([]);

export const noCharges = (): Charges => ({ limits: NONE, takes: NONE });

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
  charges.limits = withOne(charges.limits, limit);
  const { namespace, rates, tag } = limit;
  for (let i = 0; i < rates.length; i += 1) {
    const each = rates[i];
    if (each === undefined) throw new Error('A list of rates has a hole');
    charges.takes = withOne(charges.takes, { key: each.prefix + key, rate: each.rate, cost, namespace, tag });
  }
  return undefined;
}

/** Nearly all are lists of one: a list that grows by itself would keep room for seventeen. */
const withOne = <T>(list: readonly T[], one: T): readonly T[] => (list.length === 0 ? [one] : list.concat(one));

/** The charges of those of the limits that are wanted. */
export function chargesOf({ limits, takes }: Charges, isWanted: (limit: CompiledLimit) => boolean): Charges {
  const wanted: { readonly limits: CompiledLimit[]; readonly takes: Take[] } = { limits: [], takes: [] };
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
  const first = limit.key[0];
  if (first === undefined) return '';
  const part = partOf(first, limit, evaluation);
  if (typeof part !== 'string') return part;
  if (limit.key.length === 1) return limit.isKeySecret ? digest([part]) : digests.of(part);
  const parts = [part];
  for (let i = 1; i < limit.key.length; i += 1) {
    const next = partOf(limit.key[i] ?? first, limit, evaluation);
    if (typeof next !== 'string') return next;
    parts.push(next);
  }
  return digest(parts);
}

function partOf(
  { expression, missing }: KeyPart,
  limit: CompiledLimit,
  evaluation: Evaluation,
): ReturnType<typeof keyOf> {
  const value = expression.key(evaluation);
  if (isError(value))
    return { reason: 'expression_error', rule: limit.name, cause: describeError(expression.source, value) };
  if (value !== null) return `v${value}`;
  if (missing === 'Skip') return undefined;
  if (missing === 'Share') return 'n';
  return { reason: 'limit_key_missing', rule: limit.name, cause: `${bounded(expression.source)} is null` };
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
    cause: isError(result)
      ? describeError(limit.cost.source, result)
      : `${bounded(limit.cost.source)}: the cost is no whole number from 0 to ${limit.maxCost}`,
  };
}
