import type { NamespaceView } from '../core/evaluation.ts';
import type { Served } from './compiled-policy.ts';
import type { HostGrants } from './host-grants.ts';
import type { HostTable } from './host-table.ts';
import type { OwnHeaders } from './own-headers.ts';

/**
 * Everything a check reads, as it was at one moment: built aside, frozen, swapped whole. A check reads the current one
 * once and keeps it to its end.
 */
export interface Snapshot {
  /** Counts up with every build of this process. */
  readonly version: number;
  /** Something of a source was never read: a host that nobody holds here may be somebody's, so it is refused. */
  readonly hasUnread: boolean;
  readonly hosts: HostTable;
  /** Who may claim what; undefined where hosts belong to whoever comes first. */
  readonly grants: HostGrants | undefined;
  /** By `namespace/name`. */
  readonly named: ReadonlyMap<string, Served>;
  /** By `routeKey`. */
  readonly routes: ReadonlyMap<string, Served>;
  /** By namespace, of policies that target routes: which hosts come by a route nobody knows. */
  readonly ownOfRoutes: ReadonlyMap<string, OwnHeaders>;
  readonly namespaces: ReadonlyMap<string, NamespaceView>;
}
