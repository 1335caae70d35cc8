import type { ReasonName } from '../core/reasons.ts';
import type { PathReadings } from '../core/request.ts';
import { matchesAll } from '../match/path-template.ts';
import type { CompiledPolicy, Served } from './compiled-policy.ts';
import type { HostEntry } from './host-table.ts';
import type { Snapshot } from './snapshot.ts';

/** What selection reads of a request, canonical or not. */
export interface Selectable {
  /** undefined where the host itself could not be read. */
  readonly host: string | undefined;
  /** undefined where the path could not be read: only the host, or the name, can then be judged. */
  readonly readings: PathReadings | undefined;
  readonly policyName: string | undefined;
  readonly routes: readonly RouteName[] | undefined;
}

/** One entry of Envoy Gateway's route metadata. */
export interface RouteName {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly sectionName: string | undefined;
}

export type Selection =
  | { readonly kind: 'policy'; readonly policy: CompiledPolicy; readonly params: ReadonlyMap<string, string> }
  /** Nobody holds the host: `--unmatched` says what happens. */
  | { readonly kind: 'unmatched' }
  /** A policy in Audit that was never accepted passes as an unmatched host under allow. */
  | { readonly kind: 'audited-invalid' }
  /** The path could not be read, but what governs it is known: `isAudit` if all of it is in Audit. */
  | { readonly kind: 'unread'; readonly isAudit: boolean; readonly policy: CompiledPolicy | undefined }
  | { readonly kind: 'refused'; readonly reason: ReasonName; readonly policy: CompiledPolicy | undefined };

const UNMATCHED: Selection = Object.freeze({ kind: 'unmatched' });
const AUDITED_INVALID: Selection = Object.freeze({ kind: 'audited-invalid' });
const refused = (reason: ReasonName, policy?: CompiledPolicy): Selection => ({ kind: 'refused', reason, policy });
const NO_ROUTE = Object.freeze(refused('no_route'));
const NOT_FOUND = Object.freeze(refused('policy_not_found'));
const INVALID = Object.freeze(refused('policy_invalid'));
const CONFLICT = Object.freeze(refused('host_conflict'));
const ROUTE_MISSING = Object.freeze(refused('route_metadata_missing'));

/**
 * Finds the policy that governs a request: named by the route's owner, then by route metadata, then by host and path
 * (the contract's §3). Whoever holds the host has the last word on the first two.
 */
export function selectPolicy(
  snapshot: Snapshot,
  request: Selectable,
  options: { readonly routeMetadataRequired: boolean },
): Selection {
  const holder = request.host === undefined ? undefined : snapshot.hosts.find(request.host);
  if (request.policyName !== undefined) return named(snapshot, request, holder);
  if (request.routes === undefined && options.routeMetadataRequired) return ROUTE_MISSING;
  const routed = request.routes && byRoute(snapshot, request.routes);
  if (routed !== undefined) return governed(routed, request, holder);
  if (holder === undefined) return request.host === undefined || snapshot.hasUnread ? NO_ROUTE : UNMATCHED;
  return byPath(holder, request.readings);
}

function named(snapshot: Snapshot, request: Selectable, holder: HostEntry | undefined): Selection {
  const served = snapshot.named.get(request.policyName ?? '');
  if (served === undefined) return NOT_FOUND;
  return governed(served, request, holder);
}

function byRoute(snapshot: Snapshot, routes: readonly RouteName[]): Served | undefined {
  for (const route of routes) {
    if (route.sectionName === undefined) continue;
    const bySection = snapshot.routes.get(routeKey(route, route.sectionName));
    if (bySection !== undefined) return bySection;
  }
  for (const route of routes) {
    const whole = snapshot.routes.get(routeKey(route, undefined));
    if (whole !== undefined) return whole;
  }
  return undefined;
}

/** Key of a route in the snapshot; a name of Kubernetes holds no "/". */
export function routeKey(
  route: { readonly kind: string; readonly namespace: string; readonly name: string },
  section: string | undefined,
): string {
  return `${route.kind}/${route.namespace}/${route.name}/${section ?? ''}`;
}

function governed(served: Served, request: Selectable, holder: HostEntry | undefined): Selection {
  if (holder !== undefined && holder.namespace !== served.namespace) return CONFLICT;
  const { policy } = served;
  if (policy === undefined) return served.isAudit ? AUDITED_INVALID : INVALID;
  if (request.readings === undefined) return { kind: 'unread', isAudit: policy.mode === 'Audit', policy };
  const params = matchesAll(policy.target.paths, request.readings);
  return params === undefined ? refused('no_route', policy) : { kind: 'policy', policy, params };
}

function byPath(holder: HostEntry, readings: PathReadings | undefined): Selection {
  if (readings === undefined) return { kind: 'unread', isAudit: holder.isAudit, policy: undefined };
  const hit = holder.table.find(readings.kept);
  if (hit === undefined) return NO_ROUTE;
  const isOne = readings.others.every((reading) => holder.table.find(reading)?.value === hit.value);
  if (!isOne) return NO_ROUTE;
  const served = hit.value;
  if (served.policy === undefined) return served.isAudit ? AUDITED_INVALID : NO_ROUTE;
  return { kind: 'policy', policy: served.policy, params: hit.parameters };
}
