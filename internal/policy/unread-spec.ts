// What still counts of a spec that is wrong: enough that nobody is freed by it, and nothing that grants.
import { member } from '../core/member.ts';
import type { ConsumerInput, KeyInput } from '../phases/authn/consumers.ts';
import type { SourceObject } from './object.ts';

/** The role that an APIRoleBinding names, if that much of it can be read. */
export function boundRole({ spec }: SourceObject): string | undefined {
  return textOf(member(member(spec, 'roleRef'), 'name'));
}

/** An APIConsumer with the keys that can be read of it. */
export function unreadConsumer({ metadata, spec }: SourceObject): ConsumerInput {
  const keys = member(spec, 'keys');
  return { name: metadata.name, groups: [], keys: Array.isArray(keys) ? keys.map(unreadKey) : [], isUnread: true };
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
