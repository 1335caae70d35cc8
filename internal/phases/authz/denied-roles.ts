import { include, type RoleNode } from './inheritance.ts';
import { RoleSet } from './role-set.ts';

/**
 * Roles that APIRoleBindings name whose spec is wrong: who holds them is unknown. `undefined` stands for a binding of
 * any role.
 */
export type UnreadBindings = ReadonlySet<string | undefined>;

/**
 * Roles that everyone may hold where a `deny` asks: one that nobody defines and nobody binds, and one whose holders
 * cannot be read.
 *
 * @param bound roles that bindings name
 * @returns their places; `all` where anyone may hold any role
 */
export function heldByAll(
  nodes: ReadonlyMap<string, RoleNode>,
  bound: Iterable<string>,
  unread: UnreadBindings,
): RoleSet | 'all' {
  const held = new RoleSet(nodes.size);
  for (const name of bound) {
    const node = nodes.get(name);
    if (node !== undefined) include(held, node, node.above);
  }
  const open = new RoleSet(nodes.size);
  for (const { place, isDefined } of nodes.values()) if (!isDefined && !held.has(place)) open.add(place);
  for (const name of unread) {
    const node = name === undefined ? undefined : nodes.get(name);
    // What an undefined role inherits is unknown, and so is what is held by whoever is bound to it.
    if (node === undefined || node.isBoundless) return 'all';
    include(open, node, node.above);
  }
  return open;
}
