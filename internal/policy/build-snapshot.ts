import type { NamespaceView } from '../core/evaluation.ts';
import { PathTable } from '../match/path-table.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Assignment, Candidate } from './assign.ts';
import { type PathOptions, type RouteTarget, type Served, STRICT } from './compiled-policy.ts';
import { type HostEntry, HostTable } from './host-table.ts';
import { objectKey } from './object.ts';
import { OVERRIDES, type OwnHeaders, ownOfAll } from './own-headers.ts';
import { routeKey } from './select.ts';
import type { Snapshot } from './snapshot.ts';

interface HostDraft {
  readonly namespace: string;
  readonly pathOptions: PathOptions;
  readonly table: PathTable<Served>;
  /** Of each of its policies that serves. */
  readonly owns: Set<OwnHeaders>;
  isAudit: boolean;
}

export interface SnapshotInputs {
  readonly version: number;
  readonly hasUnread: boolean;
  /** In the order of `compareAge`. */
  readonly assignments: ReadonlyMap<Candidate, Assignment>;
  readonly namespaces: ReadonlyMap<string, NamespaceView>;
  /** Awaited between policies, so that building never keeps a check waiting. */
  readonly breathe: () => Promise<void> | undefined;
}

/** A part of a policy's target that an older policy governs. */
export interface Shadow {
  readonly host: string;
  readonly template: PathTemplate;
  /** Name of the older policy; it is of the same namespace. */
  readonly by: string;
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
  assignments,
  namespaces,
  breathe,
}: SnapshotInputs): Promise<BuiltSnapshot> {
  const hosts = new Map<string, HostDraft>();
  const named = new Map<string, Served>();
  const shadows = new Map<Candidate, Shadow[]>();
  const routes = new Map<string, Served>();
  const ofRoutes = new Map<string, Set<OwnHeaders>>();
  const optionsOf = new Map<string, PathOptions>();
  const ordered: (readonly [Candidate, Assignment])[] = [];
  const last: (readonly [Candidate, Assignment])[] = [];
  for (const one of assignments) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    (passesUnaccepted(one) ? last : ordered).push(one);
    addOptions(optionsOf, one[1]);
  }
  for (const one of last) ordered.push(one);
  for (const [candidate, assignment] of ordered) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const { meta, claimed } = candidate;
    const { serving } = assignment;
    const served: Served = {
      namespace: meta.namespace,
      name: meta.name,
      isAudit: serving === undefined ? candidate.isAudit : serving.mode === 'Audit',
      policy: serving,
    };
    named.set(objectKey(meta), served);
    addRoutes(routes, serving?.target.routes ?? claimed.routes, served);
    if (serving !== undefined && serving.target.routes.length > 0) addOwn(ofRoutes, meta.namespace, serving.edits.own);
    const templates = serving?.target.templates ?? claimed.templates;
    for (const host of assignment.hosts) {
      const lost = addHost(hosts, { host, templates, served, pathOptions: optionsOf.get(host) ?? STRICT });
      if (lost.length > 0 && serving !== undefined)
        shadows.set(candidate, [...(shadows.get(candidate) ?? []), ...lost]);
    }
  }
  const table = new HostTable();
  for (const [host, draft] of hosts) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    for (const own of ofRoutes.get(draft.namespace) ?? []) draft.owns.add(own);
    table.add(host, entryOf(draft));
  }
  const ownOfRoutes = new Map([...ofRoutes].map(([namespace, owns]) => [namespace, ownOfAll(owns)]));
  const snapshot = Object.freeze({ version, hasUnread, hosts: table, named, routes, ownOfRoutes, namespaces });
  return { snapshot, shadows };
}

const entryOf = ({ namespace, isAudit, pathOptions, table, owns }: HostDraft): HostEntry =>
  Object.freeze({ namespace, isAudit, pathOptions, table, own: ownOfAll(owns) });

const passesUnaccepted = ([candidate, { serving }]: readonly [Candidate, Assignment]): boolean =>
  serving === undefined && candidate.isAudit;

/** Sections of a route, and routes of a namespace, may lead to one upstream: what it takes for true is theirs together. */
function addOwn(ofRoutes: Map<string, Set<OwnHeaders>>, namespace: string, own: OwnHeaders): void {
  const owns = ofRoutes.get(namespace);
  if (owns === undefined) ofRoutes.set(namespace, new Set([OVERRIDES, own]));
  else owns.add(own);
}

/** How the paths of each host are read, by what serves there: it agrees. */
function addOptions(options: Map<string, PathOptions>, { serving, hosts }: Assignment): void {
  if (serving === undefined) return;
  for (const host of hosts) options.set(host, serving.target.pathOptions);
}

function addRoutes(routes: Map<string, Served>, targets: readonly RouteTarget[], served: Served): void {
  for (const { kind, name, sectionName } of targets) {
    const key = routeKey({ kind, namespace: served.namespace, name }, sectionName);
    if (!routes.has(key)) routes.set(key, served);
  }
}

interface Placed {
  readonly host: string;
  readonly templates: readonly PathTemplate[];
  readonly served: Served;
  readonly pathOptions: PathOptions;
}

/** @returns what of it another policy holds already */
function addHost(hosts: Map<string, HostDraft>, { host, templates, served, pathOptions }: Placed): readonly Shadow[] {
  let draft = hosts.get(host);
  if (draft === undefined) {
    const table = new PathTable<Served>(pathOptions);
    draft = { namespace: served.namespace, pathOptions, table, owns: new Set([OVERRIDES]), isAudit: true };
    hosts.set(host, draft);
  }
  draft.isAudit &&= served.isAudit;
  if (served.policy !== undefined) draft.owns.add(served.policy.edits.own);
  const lost: Shadow[] = [];
  for (const template of templates) {
    const { value } = draft.table.add({ template, value: served });
    if (value !== served) lost.push({ host, template, by: value.name });
  }
  return lost;
}
