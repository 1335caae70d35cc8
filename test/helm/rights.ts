import type { AuditEvent } from '../components/api-server.ts';
import type { Rendered } from './chart.ts';

interface Rule {
  readonly apiGroups?: readonly string[];
  readonly resources?: readonly string[];
  readonly verbs: readonly string[];
}

interface Subject {
  readonly kind: string;
  readonly name: string;
  readonly namespace?: string;
}

const right = (group: string, resource: string, verb: string): string =>
  `${verb} ${resource}${group === '' ? '' : `.${group}`}`;

/**
 * The rights that the roles of a release give a ServiceAccount, by its own name or by the group of its namespace:
 * `get apipolicies.postern.dev`, `patch apipolicies/status.postern.dev`.
 *
 * @param account `system:serviceaccount:NAMESPACE:NAME`
 */
export function grantedTo(account: string, objects: readonly Rendered[]): ReadonlySet<string> {
  const [, , namespace = '', name = ''] = account.split(':');
  const isOurs = (subject: Subject): boolean =>
    subject.kind === 'Group'
      ? subject.name === `system:serviceaccounts:${namespace}`
      : subject.name === name && subject.namespace === namespace;
  const granted = new Set<string>();
  for (const { kind, metadata, subjects = [], roleRef } of objects) {
    if (!/^(Cluster)?RoleBinding$/.test(kind) || !(subjects as readonly Subject[]).some(isOurs)) continue;
    const bound = objects.filter(
      (object) =>
        object.kind === roleRef.kind &&
        object.metadata.name === roleRef.name &&
        object.metadata.namespace === (roleRef.kind === 'Role' ? metadata.namespace : undefined),
    );
    for (const { rules } of bound) for (const one of rightsOf(rules as readonly Rule[])) granted.add(one);
  }
  return granted;
}

const rightsOf = (rules: readonly Rule[]): readonly string[] =>
  rules.flatMap(({ apiGroups = [], resources = [], verbs }) =>
    apiGroups.flatMap((group) => resources.flatMap((resource) => verbs.map((verb) => right(group, resource, verb)))),
  );

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
