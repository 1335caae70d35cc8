// Names that nothing has: no mistake of the spec, and most likely one of its author. Status and lint say them both.
import type { Problem } from '../core/problem.ts';
import type { ApiConsumerSpec } from './resource/api-consumer.ts';
import type { ApiRoleBindingSpec, ApiRoleSpec } from './resource/api-role.ts';

/** A policy that a role names, with the field that does. */
export interface NamedPolicy {
  readonly name: string;
  readonly path: string;
}

export interface MissingSubject extends NamedPolicy {
  readonly kind: 'consumer' | 'consumerGroup';
}

/** Consumers of a namespace, as far as subjects can name them. */
export interface Subjects {
  hasConsumer(name: string): boolean;
  hasGroup(name: string): boolean;
}

/** @param consumers of one namespace; one without a spec cannot be read, and may be meant to have any group */
export function subjectsOf(
  consumers: Iterable<{ readonly name: string; readonly spec: ApiConsumerSpec | undefined }>,
): Subjects {
  const names = new Set<string>();
  const groups = new Set<string>();
  let isAnyUnread = false;
  for (const { name, spec } of consumers) {
    names.add(name);
    if (spec === undefined) isAnyUnread = true;
    else for (const group of spec.groups) groups.add(group);
  }
  return { hasConsumer: (name) => names.has(name), hasGroup: (name) => isAnyUnread || groups.has(name) };
}

export function namedPolicies(spec: ApiRoleSpec): readonly NamedPolicy[] {
  return spec.permissions.flatMap(({ policyRefs = [] }, index) =>
    policyRefs.map(({ name }, position) => ({ name, path: `spec.permissions[${index}].policyRefs[${position}]` })),
  );
}

export function missingSubjects(spec: ApiRoleBindingSpec, has: Subjects): readonly MissingSubject[] {
  const missing: MissingSubject[] = [];
  for (const [index, { consumer, consumerGroup }] of spec.subjects.entries()) {
    const path = `spec.subjects[${index}]`;
    if (consumer !== undefined && !has.hasConsumer(consumer.name))
      missing.push({ kind: 'consumer', name: consumer.name, path });
    if (consumerGroup !== undefined && !has.hasGroup(consumerGroup.name))
      missing.push({ kind: 'consumerGroup', name: consumerGroup.name, path });
  }
  return missing;
}

/** A warning: an instance sees policies of its own class alone, and a role is for those of all classes. */
export const policyNotFound = ({ name, path }: NamedPolicy, className: string): Problem => ({
  reason: 'PolicyNotFound',
  path,
  message: `No APIPolicy "${name}" of the class "${className}" is in this namespace: it permits nothing there`,
  severity: 'warning',
});

/** A consumer is an object that is referred to; a group is a word, which another consumer may bring any time. */
export const subjectNotFound = ({ kind, name, path }: MissingSubject): Problem =>
  kind === 'consumer'
    ? {
        reason: 'SubjectNotFound',
        path,
        message: `There is no APIConsumer "${name}" in this namespace: nobody holds the role by it`,
        severity: 'reference',
      }
    : {
        reason: 'SubjectNotFound',
        path,
        message: `No APIConsumer of this namespace has the group "${name}": nobody holds the role by it`,
        severity: 'warning',
      };
