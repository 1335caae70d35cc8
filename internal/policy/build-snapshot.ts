import type { NamespaceView } from '../core/evaluation.ts';
import { PathTable } from '../match/path-table.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Assignment, Candidate } from './assign.ts';
import type { PathOptions, Served } from './compiled-policy.ts';
import { type HostEntry, HostTable } from './host-table.ts';
import { objectKey } from './object.ts';
import { routeKey } from './select.ts';
import type { Snapshot } from './snapshot.ts';

interface HostDraft {
  readonly namespace: string;
  readonly table: PathTable<Served>;
  isAudit: boolean;
}

const STRICT: PathOptions = Object.freeze({ encodedSlash: 'Refuse', semicolon: 'Refuse', caseInsensitive: false });

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
 * Puts assigned policies into the tables that checks read. Of two equal templates the older policy's stays; the place
 * of one that was never accepted denies only what no accepted policy names as precisely.
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
  const byAge = [...assignments];
  const ordered = [...byAge.filter(([, { serving }]) => serving), ...byAge.filter(([, { serving }]) => !serving)];
  for (const [candidate, assignment] of ordered) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const served: Served = {
      namespace: candidate.meta.namespace,
      isAudit: assignment.serving?.mode === 'Audit' || (assignment.serving === undefined && candidate.isAudit),
      policy: assignment.serving,
    };
    named.set(objectKey(candidate.meta), served);
    addRoutes(routes, served);
    const templates = assignment.serving?.target.templates ?? candidate.claimedTemplates;
    for (const host of assignment.hosts) {
      const lost = addHost(hosts, { host, templates, served });
      if (lost.length > 0 && assignment.serving !== undefined)
        shadows.set(candidate, [...(shadows.get(candidate) ?? []), ...lost]);
    }
  }
  const entries = new Map<string, HostEntry>(hosts);
  const snapshot = Object.freeze({ version, hasUnread, hosts: new HostTable(entries), named, routes, namespaces });
  return { snapshot, shadows };
}

function addRoutes(routes: Map<string, Served>, served: Served): void {
  for (const route of served.policy?.target.routes ?? []) {
    const key = routeKey({ kind: route.kind, namespace: served.namespace, name: route.name }, route.sectionName);
    if (!routes.has(key)) routes.set(key, served);
  }
}

interface Placed {
  readonly host: string;
  readonly templates: readonly PathTemplate[];
  readonly served: Served;
}

/** @returns what of it another policy holds already */
function addHost(hosts: Map<string, HostDraft>, { host, templates, served }: Placed): readonly Shadow[] {
  let draft = hosts.get(host);
  if (draft === undefined) {
    const options = served.policy?.target.pathOptions ?? STRICT;
    draft = { namespace: served.namespace, table: new PathTable(options), isAudit: true };
    hosts.set(host, draft);
  }
  draft.isAudit &&= served.isAudit;
  const lost: Shadow[] = [];
  for (const template of templates) {
    const { value } = draft.table.add({ template, value: served });
    if (value !== served && value.policy !== undefined) lost.push({ host, template, by: value.policy.ref.name });
  }
  return lost;
}
