import type { Condition } from './conditions.ts';

const WHY = 'Sidecars write no status: how many of them serve this is not counted';

/**
 * The conditions of a policy of a sidecar class: what its sidecars serve nobody counts, so `Programmed` is unknown. What
 * is said of last good specs stays in its message.
 *
 * @param previous what the status says, for the time since which that is so
 */
export function uncounted(
  conditions: readonly Condition[],
  previous: readonly Condition[],
  nowIso: string,
): readonly Condition[] {
  const before = previous.find(({ type }) => type === 'Programmed');
  return conditions.map((condition) =>
    condition.type === 'Programmed'
      ? {
          ...condition,
          status: 'Unknown',
          reason: 'SidecarsNotCounted',
          message: condition.message === '' ? WHY : `${condition.message}. ${WHY}`,
          lastTransitionTime: before?.status === 'Unknown' ? before.lastTransitionTime : nowIso,
        }
      : condition,
  );
}
