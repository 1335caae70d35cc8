import type { ObjectMeta, SourceObject } from '../policy/object.ts';
import type { PolicyFeed } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';

/** What a source told of, as one process tells another. */
export type Change =
  | { readonly kind: 'apply'; readonly object: SourceObject }
  | { readonly kind: 'delete'; readonly of: string; readonly meta: Pick<ObjectMeta, 'namespace' | 'name'> }
  | { readonly kind: 'secretChanged'; readonly namespace: string }
  | { readonly kind: 'setUnread'; readonly hasUnread: boolean }
  | { readonly kind: 'relabel'; readonly labels: PodLabels };

/** Gives a change to a store. */
export function giveChange(feed: PolicyFeed, change: Change): void {
  if (change.kind === 'apply') feed.apply(change.object);
  else if (change.kind === 'delete') feed.delete(change.of, change.meta);
  else if (change.kind === 'secretChanged') feed.secretChanged(change.namespace);
  else if (change.kind === 'setUnread') feed.setUnread(change.hasUnread);
  else feed.relabel(change.labels);
}
