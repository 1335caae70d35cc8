import type { NamespaceView } from '../core/evaluation.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Assignment, Candidate } from './assign.ts';
import type { HeldPolicies } from './baselines/held-policies.ts';
import type { OverrideSet } from './baselines/override-set.ts';
import type { RouteTarget, Served } from './compiled-policy.ts';
import { HostDrafts, type Shadow } from './host-drafts.ts';
import type { HostGrants } from './host-grants.ts';
import { HostReadings } from './host-readings.ts';
import { objectKey } from './object.ts';
import { OVERRIDES, type OwnHeaders, ownOfAll } from './own-headers.ts';
import { routeKey } from './select.ts';
import type { Snapshot } from './snapshot.ts';

export interface SnapshotInputs {
  readonly version: number;
  readonly hasUnread: boolean;
  /** Undefined where hosts belong to whoever comes first. */
  readonly grants: HostGrants | undefined;
  /** In the order of `compareAge`. */
  readonly assignments: ReadonlyMap<Candidate, Assignment>;
  readonly namespaces: ReadonlyMap<string, NamespaceView>;
  readonly held: HeldPolicies;
  /** Of a namespace; undefined where none holds there. */
  readonly overridesOf: (namespace: string) => OverrideSet | undefined;
  /** Awaited between policies, so that building never keeps a check waiting. */
  readonly breathe: () => Promise<void> | undefined;
}

export interface BuiltSnapshot {
  readonly snapshot: Snapshot;
  /** What policies that serve do not get of their targets. */
  readonly shadows: ReadonlyMap<Candidate, readonly Shadow[]>;
}

/**
 * Puts assigned policies into the tables that checks read. Of two equal templates, or routes, the older policy's stays,
 * also where that one was never accepted: then it denies. Only what would pass by Audit without ever having been
 * accepted comes last, so that it opens nothing that another policy governs.
 */
export async function buildSnapshot({
  version,
  hasUnread,
  grants,
  assignments,
  namespaces,
  held,
  overridesOf,
  breathe,
}: SnapshotInputs): Promise<BuiltSnapshot> {
  const hosts = new HostDrafts();
  const named = new Map<string, Served>();
  const shadows = new Map<Candidate, Shadow[]>();
  const routes = new Map<string, Served>();
  const ofRoutes = new Map<string, Set<OwnHeaders>>();
  const reading = new HostReadings();
  const ordered: (readonly [Candidate, Assignment])[] = [];
  const last: (readonly [Candidate, Assignment])[] = [];
  for (const one of assignments) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    (passesUnaccepted(one) ? last : ordered).push(one);
    reading.add(one[1], one[0].meta.namespace);
  }
  for (const one of last) ordered.push(one);
  for (const [candidate, assignment] of ordered) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const { meta, claimed } = candidate;
    const { serving } = assignment;
    const overrides = overridesOf(meta.namespace);
    const isAudited = isAudit(candidate, assignment);
    const served: Served = {
      namespace: meta.namespace,
      name: meta.name,
      isAudit: isAudited,
      policy: serving && held.hold(serving, overrides),
      standIn: serving === undefined && isAudited ? held.standIn(meta, overrides) : undefined,
    };
    // What could not be read whole may have been meant narrower: Audit does not open the rest.
    const guessed: Served =
      serving !== undefined || claimed.isWhole ? served : { ...served, isAudit: false, standIn: undefined };
    named.set(objectKey(meta), guessed);
    addRoutes(routes, serving?.target.routes ?? claimed.routes, guessed);
    if (serving !== undefined && serving.target.routes.length > 0) addOwn(ofRoutes, meta.namespace, serving.edits.own);
    for (const place of assignment.places) {
      const options = serving?.target.pathOptions ?? reading.of(place.host, meta.namespace);
      const lost: Shadow[] = [];
      if (guessed !== served) {
        const isGuessed = (template: PathTemplate) => claimed.guessed.has(template);
        lost.push(...hosts.add({ ...place, templates: place.templates.filter(isGuessed) }, guessed, options));
      }
      const isRead = (template: PathTemplate) => guessed === served || !claimed.guessed.has(template);
      lost.push(...hosts.add({ ...place, templates: place.templates.filter(isRead) }, served, options));
      if (lost.length > 0) shadows.set(candidate, [...(shadows.get(candidate) ?? []), ...lost]);
    }
  }
  const table = await hosts.table({ grants, ofRoutes, breathe });
  const ownOfRoutes = new Map([...ofRoutes].map(([namespace, owns]) => [namespace, ownOfAll(owns)]));
  const snapshot = Object.freeze({ version, hasUnread, grants, hosts: table, named, routes, ownOfRoutes, namespaces });
  return { snapshot, shadows };
}

const passesUnaccepted = ([candidate, assignment]: readonly [Candidate, Assignment]): boolean =>
  assignment.serving === undefined && isAudit(candidate, assignment);

/** What was lost with a grant, or to a forged record, denies, whatever its author wishes. */
function isAudit(candidate: Candidate, { serving, isLapsed }: Assignment): boolean {
  if (serving !== undefined) return serving.mode === 'Audit';
  return candidate.isAudit && !isLapsed;
}

/** Sections of a route, and routes of a namespace, may lead to one upstream: what it takes for true is theirs together. */
function addOwn(ofRoutes: Map<string, Set<OwnHeaders>>, namespace: string, own: OwnHeaders): void {
  const owns = ofRoutes.get(namespace);
  if (owns === undefined) ofRoutes.set(namespace, new Set([OVERRIDES, own]));
  else owns.add(own);
}

function addRoutes(routes: Map<string, Served>, targets: readonly RouteTarget[], served: Served): void {
  for (const { kind, name, sectionName } of targets) {
    const key = routeKey({ kind, namespace: served.namespace, name }, sectionName);
    if (!routes.has(key)) routes.set(key, served);
  }
}
