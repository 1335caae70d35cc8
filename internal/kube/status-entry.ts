import { KINDS, type KindName } from '../policy/resource/kinds.ts';
import type { Condition } from './conditions.ts';

/** Whether the whole status of a kind is its one instance's. */
export const isOwned = (kind: string): boolean => KINDS[kind as KindName].status === 'conditions';

/** What one class says of a shared kind. */
interface Instance {
  readonly className: string;
  readonly conditions?: readonly Condition[];
}

/** Of a status that classes share, only the entry of one class is its own. */
export function ownPart(kind: string, status: unknown, className: string): unknown {
  if (isOwned(kind)) return status;
  const entry = entryIn(status, className);
  return { instances: entry === undefined ? [] : [entry] };
}

/** What one class says; undefined while it says nothing. */
export function entryIn(status: unknown, className: string): Instance | undefined {
  const { instances = [] } = (status ?? {}) as { readonly instances?: readonly Instance[] };
  return instances.find((instance) => instance.className === className);
}

/** Conditions that one class set. */
export function conditionsIn(kind: string, status: unknown, className: string): readonly Condition[] {
  if (!isOwned(kind)) return entryIn(status, className)?.conditions ?? [];
  return (status as { readonly conditions?: readonly Condition[] } | undefined)?.conditions ?? [];
}
