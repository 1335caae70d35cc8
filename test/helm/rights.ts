import type { AuditEvent } from '../components/api-server.ts';
import type { Rendered } from './chart.ts';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

const right = (group: string, resource: string, verb: string): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/** The rights in the roles of a release: `get apipolicies.postern.dev`, `patch apipolicies/status.postern.dev`. */
export function grantedBy(objects: readonly Rendered[]): ReadonlySet<string> {
  const granted = new Set<string>();
  for (const { kind, rules } of objects) {
    if (!/^(Cluster)?Role$/.test(kind)) continue;
    for (const { apiGroups = [], resources = [], verbs } of rules as readonly Rule[])
      for (const group of apiGroups)
        for (const resource of resources) for (const verb of verbs) granted.add(right(group, resource, verb));
  }
  return granted;
}

export interface Used {
  /** In the same words. */
  readonly rights: ReadonlySet<string>;
  /** What was asked for and refused with 403, by address. */
  readonly refused: readonly string[];
}

/** What a ServiceAccount used of its rights. */
export function usedBy(account: string, events: readonly AuditEvent[]): Used {
  const rights = new Set<string>();
  const refused: string[] = [];
  for (const { user, objectRef, verb, requestURI, responseStatus } of events) {
    if (user.username !== account || objectRef === undefined) continue;
    const { apiGroup = '', resource, subresource } = objectRef;
    if (responseStatus?.code === 403) refused.push(`${verb} ${requestURI}`);
    else rights.add(right(apiGroup, subresource === undefined ? resource : `${resource}/${subresource}`, verb));
  }
  return { rights, refused };
}
