import { member } from '../core/member.ts';
import type { Problem } from '../core/problem.ts';
import type { ObjectReport } from '../policy/store.ts';
import type { Condition } from './conditions.ts';

/**
 * Limits that every replica counts by itself, as a warning that names the factor; undefined where there is none, or one
 * replica alone.
 *
 * @param replicas how many there were when the generation was first said to serve
 */
export function localLimits({ object, isAccepted }: ObjectReport, replicas: number): Problem | undefined {
  const limits = member(object.spec, 'rateLimits');
  if (!isAccepted || object.kind !== 'APIPolicy' || !Array.isArray(limits) || limits.length === 0) return undefined;
  if (replicas < 2) return undefined;
  const message = `each of ${replicas} replicas counts by itself, so that up to ${replicas} times as many requests pass`;
  return { reason: 'LocalLimit', path: 'spec.rateLimits', message, severity: 'warning' };
}

/**
 * How many replicas a status names already, of this generation; undefined where it says nothing of the generation yet.
 * They are named once: a status is not written anew because replicas come and go.
 */
export function replicasSaid(conditions: readonly Condition[], generation: number): number | undefined {
  const of = (type: string): Condition | undefined =>
    conditions.find((condition) => condition.type === type && condition.observedGeneration === generation);
  if (of('Programmed')?.status !== 'True') return undefined;
  const said = /each of (\d{1,6}) replicas counts by itself/.exec(of('Warning')?.message ?? '');
  return said === null ? 1 : Number(said[1]);
}
