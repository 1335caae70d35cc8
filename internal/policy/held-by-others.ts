import type { PathReadings } from '../core/request.ts';
import type { GrantedPaths } from './granted-paths.ts';
import type { HostGrants } from './host-grants.ts';
import type { HostEntry } from './host-table.ts';

interface Asked {
  readonly host: string | undefined;
  readonly readings: PathReadings | undefined;
}

interface Holding {
  readonly holder: HostEntry | undefined;
  /** undefined where hosts belong to whoever comes first. */
  readonly grants: HostGrants | undefined;
}

/**
 * Whether what a request asks for is another namespace's, so that a policy that was named, or that a route led to, does not
 * count: it holds the path, or is granted it. A path without one reading may be anybody's who has something of the host.
 */
export function isOthers(namespace: string, { host, readings }: Asked, { holder, grants }: Holding): boolean {
  if (grants === undefined) return holder !== undefined && holder.namespace !== namespace;
  if (host === undefined) return false;
  const granted = grants.pathsOf(host);
  if (readings === undefined) {
    return !granted.areAllOf(namespace) || (holder !== undefined && holder.namespace !== namespace);
  }
  const isPathOthers = (segments: readonly string[]): boolean =>
    isGrantedToOthers(granted, segments, namespace) || isHeldByOthers(holder, segments, namespace);
  return isPathOthers(readings.kept) || readings.others.some(isPathOthers);
}

function isGrantedToOthers(granted: GrantedPaths, segments: readonly string[], namespace: string): boolean {
  const part = granted.partAt(segments);
  return part !== undefined && !part.selects(namespace);
}

function isHeldByOthers(holder: HostEntry | undefined, segments: readonly string[], namespace: string): boolean {
  const ground = holder?.grounds === undefined ? holder : holder.grounds.at(segments);
  const found = ground?.table.find(segments);
  return found !== undefined && found.value.namespace !== namespace;
}
