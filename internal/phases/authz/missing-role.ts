import { nearest } from '../../core/nearest.ts';

/** Among more than so many roles nobody looks for the one that was meant: it is done for every mistake of every build. */
const MAX_ROLES = 64;

/** What to say of a role that a namespace does not define. */
export function missingRole(name: string, defined: Iterable<string>): string {
  const known = [...Iterator.from(defined).take(MAX_ROLES + 1)];
  const hint = known.length > MAX_ROLES ? undefined : nearest(name, known);
  return `No accepted APIRole "${name}" in this namespace${hint === undefined ? '' : ` (did you mean "${hint}"?)`}`;
}
