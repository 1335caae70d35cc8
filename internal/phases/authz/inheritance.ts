import type { Breathe } from '../../core/breather.ts';
import { components } from './components.ts';
import { RoleSet } from './role-set.ts';

/** Roles as far as inheritance goes, by name. */
export type Inheriting = ReadonlyMap<string, { readonly inherits: readonly { readonly name: string }[] }>;

/** One of the roles that a namespace defines, inherits or binds, with all that follows from `inherits`. */
export interface RoleNode {
  readonly name: string;
  /** Its place in sets of roles. */
  readonly place: number;
  /** False of a role that is gone, or whose spec cannot be read: what it inherits is unknown. */
  readonly isDefined: boolean;
  readonly isInCycle: boolean;
  /** All it inherits, near and far; itself only in a cycle. */
  readonly above: RoleSet;
  /** What of it grants: no role that is gone or in a cycle, and nothing that is inherited through one. */
  readonly granting: RoleSet;
  /** It is, or inherits, a role of which nobody knows what it inherits: whoever holds it may hold any role. */
  readonly isBoundless: boolean;
  /** It and all it inherits are defined and in no cycle: what its holders hold is what they are granted. */
  readonly isWhole: boolean;
}

const NOTHING = new RoleSet(0);

class Draft implements RoleNode {
  readonly name: string;
  readonly place: number;
  parents: readonly Draft[] = [];
  isDefined = false;
  isInCycle = false;
  above = NOTHING;
  granting = NOTHING;
  isBoundless = true;
  isWhole = false;

  constructor(name: string, place: number) {
    this.name = name;
    this.place = place;
  }
}

/**
 * Works out, in one pass over the graph, what every role inherits.
 *
 * @param others names that are bound, whether or not they are defined
 * @returns by name, in the order of places
 */
export async function compileInheritance(
  roles: Inheriting,
  others: Iterable<string>,
  breathe: Breathe,
): Promise<ReadonlyMap<string, RoleNode>> {
  const drafts = new Map<string, Draft>();
  const draftOf = (name: string): Draft => {
    const known = drafts.get(name);
    if (known !== undefined) return known;
    const draft = new Draft(name, drafts.size);
    drafts.set(name, draft);
    return draft;
  };
  // Inherited roles have the first places, so that sets of them stay small where few are inherited.
  for (const { inherits } of roles.values()) {
    await breathe();
    for (const { name } of inherits) draftOf(name);
  }
  const size = drafts.size;
  for (const [name, { inherits }] of roles) {
    await breathe();
    const draft = draftOf(name);
    draft.isDefined = true;
    draft.parents = inherits.map((parent) => draftOf(parent.name));
  }
  for (const name of others) draftOf(name);
  for await (const group of components(drafts.values(), ({ parents }) => parents, breathe)) {
    await settle(group, size, breathe);
  }
  return drafts;
}

/** Settles roles that all inherit each other, or a single one; what they inherit besides is settled. */
async function settle(group: readonly Draft[], size: number, breathe: Breathe): Promise<void> {
  const members = new Set(group);
  const above = group.some(({ parents }) => parents.length > 0) ? new RoleSet(size) : NOTHING;
  let isInCycle = false;
  let isBoundless = false;
  let isWhole = true;
  for (const draft of group) {
    await breathe();
    if (!draft.isDefined) isBoundless = true;
    for (const parent of draft.parents) {
      include(above, parent, parent.above);
      if (members.has(parent)) isInCycle = true;
      else {
        isBoundless ||= parent.isBoundless;
        isWhole &&= parent.isWhole;
      }
    }
  }
  isWhole &&= !isInCycle && !isBoundless;
  for (const draft of group) {
    draft.isInCycle = isInCycle;
    draft.isBoundless = isBoundless;
    draft.isWhole = isWhole;
    draft.above = above;
    if (!isInCycle) draft.granting = isWhole ? above : grantedBy(draft.parents, size);
  }
}

/** Whether a role grants anything itself. */
export const isGranting = ({ isDefined, isInCycle }: RoleNode): boolean => isDefined && !isInCycle;

/** A name that nobody defines has no set of its own: there may be many of them, and a set grows with them too. */
function grantedBy(parents: readonly Draft[], size: number): RoleSet {
  if (!parents.some(isGranting)) return NOTHING;
  const granted = new RoleSet(size);
  for (const parent of parents) if (isGranting(parent)) include(granted, parent, parent.granting);
  return granted;
}

/** Adds a role and what comes with it; whoever is in the set came with all that is theirs. */
export function include(set: RoleSet, { place }: RoleNode, its: RoleSet): void {
  if (set.has(place)) return;
  set.add(place);
  set.addAll(its);
}
