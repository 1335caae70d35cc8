import type { Problem } from '../core/problem.ts';
import type { ObjectReport } from '../policy/store.ts';
import type { Condition } from './conditions.ts';

/**
 * Limits that every replica counts by itself, as a warning that names the factor; undefined where there is none, or one
 * replica alone.
 *
 * @param replicas how many there were when the generation was first said to serve
 */
export function localLimits({ localLimits: limits }: ObjectReport, replicas: number): Problem | undefined {
  if (limits === undefined || replicas < 2) return undefined;
  const { hasOwn, by } = limits;
  const whose = by.length === 0 ? '' : ` (${by.map((name) => `APIBaseline "${name}"`).join(', ')} has limits for it)`;
  const message = `each of ${replicas} replicas counts by itself, so that up to ${replicas} times as many requests pass${whose}`;
  return { reason: 'LocalLimit', path: hasOwn ? 'spec.rateLimits' : '', message, severity: 'warning' };
}

/**
 * How many replicas a status names already, of this generation; undefined where it says nothing of the generation yet.
 * They are named once: a status is not written anew because replicas come and go.
 */
export function replicasSaid(
  conditions: readonly Condition[],
  { object, localLimits: limits }: ObjectReport,
): number | undefined {
  const of = (type: string): Condition | undefined =>
    conditions.find(
      (condition) => condition.type === type && condition.observedGeneration === object.metadata.generation,
    );
  if (of('Programmed')?.status !== 'True') return undefined;
  const said = /each of (\d{1,6}) replicas counts by itself/.exec(of('Warning')?.message ?? '');
  if (said !== null) return Number(said[1]);
  // A baseline's limits may have come since: then nothing that was said before was said of them.
  return limits !== undefined && limits.by.length > 0 ? undefined : 1;
}
