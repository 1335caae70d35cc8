// What still counts of a spec that is wrong: enough that nobody is freed by it, and nothing that grants.
import type { SourceObject } from './object.ts';

/** The role that an APIRoleBinding names, if that much of it can be read. */
export function boundRole({ spec }: SourceObject): string | undefined {
  return textOf(memberOf(memberOf(spec, 'roleRef'), 'name'));
}

function memberOf(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

const textOf = (value: unknown): string | undefined => (typeof value === 'string' && value !== '' ? value : undefined);
