// What still counts of a spec that is wrong: enough that nobody is freed by it, and nothing that grants.
import { member } from '../core/member.ts';
import type { ConsumerInput, KeyInput } from '../phases/authn/consumers.ts';
import type { SourceObject } from './object.ts';

/** The role that an APIRoleBinding names, if that much of it can be read. */
export function boundRole({ spec }: SourceObject): string | undefined {
  return textOf(member(member(spec, 'roleRef'), 'name'));
}

/** More roles than this are all roles. */
const MAX_NAMED = 1000;

/**
 * Roles that bindings name which do not count: nobody knows who else holds them. `undefined` stands for any role.
 *
 * @param bindings whose spec is wrong, or that are over a budget
 */
export function unreadRoles(bindings: Iterable<SourceObject>): ReadonlySet<string | undefined> {
  const named = new Set<string | undefined>();
  for (const binding of bindings) {
    named.add(boundRole(binding));
    if (named.size > MAX_NAMED) return new Set([undefined]);
  }
  return named;
}

/** An APIConsumer with the keys that can be read of it. */
export function unreadConsumer({ metadata, spec }: SourceObject): ConsumerInput {
  const keys = member(spec, 'keys');
  return { name: metadata.name, groups: [], keys: Array.isArray(keys) ? keys.map(unreadKey) : [], isUnread: true };
}

export function* unreadConsumers(objects: Iterable<SourceObject>): Iterable<ConsumerInput> {
  for (const object of objects) yield unreadConsumer(object);
}

function unreadKey(key: unknown): KeyInput {
  const ref = member(key, 'secretRef');
  const [name, dataKey] = [textOf(member(ref, 'name')), textOf(member(ref, 'key'))];
  return {
    name: '',
    sha256: textOf(member(key, 'sha256'))?.trim().toLowerCase(),
    secretRef: name === undefined || dataKey === undefined ? undefined : { name, key: dataKey },
  };
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
