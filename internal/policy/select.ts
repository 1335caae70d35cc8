import type { PathParams } from '../core/evaluation.ts';
import type { PathReadings } from '../core/request.ts';
import type { PathHit } from '../match/path-table.ts';
import type { PathMatcher } from '../match/path-template.ts';
import { type Served, STRICT } from './compiled-policy.ts';
import { isOthers } from './held-by-others.ts';
import type { Ground, HostEntry } from './host-table.ts';
import { OF_ANYBODY, OVERRIDES, type OwnHeaders, ownOfAll } from './own-headers.ts';
import {
  auditedInvalid,
  type RouteName,
  refused,
  type Selectable,
  type Selection,
  unaccepted,
  unkeptDelimiter,
  unreadBelow,
  unreadOf,
} from './selection.ts';
import type { Snapshot } from './snapshot.ts';
import { THIS_WORKLOAD } from './workload.ts';

export interface SelectOptions {
  /** Whether a request without route metadata is refused. */
  readonly routeMetadataRequired: boolean;
  /** `agent`: of the instance's own Pod. `class`: it only judges policies, and decides nothing. */
  readonly sidecar?: SidecarPart | undefined;
}

/** What an instance of a sidecar class is to it: one of its sidecars, or the one that writes the status. */
export type SidecarPart = 'agent' | 'class';

const NO_PARAMS: readonly PathParams[] = Object.freeze([]);
const UNMATCHED: Selection = Object.freeze({ kind: 'unmatched' });
const NO_ROUTE = Object.freeze(refused('no_route'));
const NOT_FOUND = Object.freeze(refused('policy_not_found'));
const CONFLICT = Object.freeze(refused('host_conflict'));
const ROUTE_MISSING = Object.freeze(refused('route_metadata_missing'));
const DECIDES_NOTHING: Selection = Object.freeze({
  kind: 'refused',
  reason: 'no_route',
  policy: undefined,
  cause: 'this instance only judges the policies of a sidecar class: Envoy has to ask the sidecar of its own Pod',
});

/**
 * Finds the policy that governs a request: named by the route's owner, then by route metadata, then by host and path
 * (the contract's §3). Whoever holds the host has the last word on the first two.
 */
export function selectPolicy(snapshot: Snapshot, request: Selectable, options: SelectOptions): Selection {
  if (options.sidecar !== undefined)
    return options.sidecar === 'class' ? DECIDES_NOTHING : byWorkload(snapshot, request);
  const holder = request.host === undefined ? undefined : snapshot.hosts.find(request.host);
  if (request.policyName !== undefined) return named(snapshot, request, holder);
  if (request.routes === undefined && options.routeMetadataRequired) return ROUTE_MISSING;
  const routed = request.routes && byRoute(snapshot, request.routes);
  if (routed !== undefined) return governed(routed, request, { snapshot, holder });
  if (holder === undefined) return request.host === undefined || snapshot.hasUnread ? NO_ROUTE : UNMATCHED;
  return byPath(holder, request.readings);
}

/** Whatever its Host, and whatever its route is said to be: every request is to this Pod. */
function byWorkload(snapshot: Snapshot, request: Selectable): Selection {
  const workload = snapshot.hosts.find(THIS_WORKLOAD);
  if (workload !== undefined) return byPath(workload, request.readings);
  return request.host === undefined || snapshot.hasUnread ? NO_ROUTE : UNMATCHED;
}

function named(snapshot: Snapshot, request: Selectable, holder: HostEntry | undefined): Selection {
  const served = snapshot.named.get(request.policyName ?? '');
  if (served === undefined) return NOT_FOUND;
  return governed(served, request, { snapshot, holder });
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

interface Place {
  readonly snapshot: Snapshot;
  /** undefined where nobody holds the host: then the namespace whose route, or word, leads to it answers for it. */
  readonly holder: HostEntry | undefined;
}

function governed(served: Served, request: Selectable, { snapshot, holder }: Place): Selection {
  const { policy, namespace } = served;
  if (isOthers(namespace, request, { holder, grants: snapshot.grants })) return CONFLICT;
  const ofHost = holder === undefined ? (snapshot.ownOfRoutes.get(namespace) ?? OVERRIDES) : ownFor(holder, namespace);
  if (policy === undefined) {
    if (!served.isAudit) return unaccepted('policy_invalid', served);
    return auditedInvalid(served, { own: ofHost, readings: request.readings, pathOptions: STRICT });
  }
  const unkept = request.readings && unkeptDelimiter(request.readings, policy.target.pathOptions);
  // Who names the policy need not go by a host that it holds.
  if (request.readings === undefined || unkept !== undefined)
    return unreadOf(policy, ownOfAll([policy.edits.own, ofHost]), unkept);
  const { paths } = policy.target;
  const params = paths.match(request.readings.kept);
  const { others } = request.readings;
  const otherParams = others.length === 0 ? NO_PARAMS : paramsBy(others, (reading) => paths.match(reading));
  if (params === undefined || otherParams === undefined) return refused('no_route', policy);
  return { kind: 'policy', policy, params, otherParams, own: ofHost };
}

/**
 * A delimiter that the host does not keep has its path refused as malformed, whoever would govern its readings. Where
 * that is one policy its own mode decides, else all policies of the host do; what none of them governs never passes.
 */
function byPath(holder: HostEntry, readings: PathReadings | undefined): Selection {
  if (readings === undefined) return unreadBelow(holder, undefined, holder.isAudit);
  const ground = groundAt(holder, readings.kept);
  const unkept = unkeptDelimiter(readings, ground?.pathOptions ?? STRICT);
  const hit = ground?.table.find(readings.kept);
  const { others } = readings;
  const otherParams =
    hit === undefined || others.length === 0
      ? NO_PARAMS
      : paramsBy(others, (reading) => paramsIn(holder, reading, hit.value));
  const isOne = hit !== undefined && otherParams !== undefined;
  if (!isOne && unkept === undefined) return NO_ROUTE;
  if (!isOne) return unreadBelow(holder, unkept, holder.isAudit && isGoverned(holder, readings));
  const { policy, isAudit, namespace } = hit.value;
  const { pathOptions } = ground ?? holder;
  const own = ownFor(ground ?? holder, namespace);
  if (policy === undefined) {
    if (!isAudit) return unaccepted('no_route', hit.value);
    return auditedInvalid(hit.value, { own, readings, pathOptions });
  }
  if (unkept !== undefined) return unreadOf(policy, own, unkept);
  return { kind: 'policy', policy, params: hit.parameters, otherParams, own };
}

const groundAt = (holder: HostEntry, segments: readonly string[]): Ground | undefined =>
  holder.grounds === undefined ? holder : holder.grounds.at(segments);

const hitAt = (holder: HostEntry, segments: readonly string[]): PathHit<Served> | undefined =>
  groundAt(holder, segments)?.table.find(segments);

const ownFor = ({ own, ownBy }: Ground, namespace: string): OwnHeaders =>
  ownBy === undefined ? own : (ownBy.get(namespace) ?? ownBy.get(OF_ANYBODY) ?? own);

/** The target's parameters by each other reading of the path; undefined when it does not cover one of them. */
function paramsBy(others: PathReadings['others'], match: PathMatcher['match']): readonly PathParams[] | undefined {
  const found: PathParams[] = [];
  for (const reading of others) {
    const params = match(reading);
    if (params === undefined) return undefined;
    found.push(params);
  }
  return found;
}

/** Only where the reading is the same policy's. */
function paramsIn(holder: HostEntry, reading: readonly string[], served: Served): PathParams | undefined {
  const hit = hitAt(holder, reading);
  return hit?.value === served ? hit.parameters : undefined;
}

const isGoverned = (holder: HostEntry, { kept, others }: PathReadings): boolean =>
  hitAt(holder, kept) !== undefined || others.some((reading) => hitAt(holder, reading) !== undefined);
