import { type Inheritance, inheritedBy } from './inheritance.ts';

/** Objects of the namespace whose shape is wrong. They grant nothing, and no deny rule may stop matching by them. */
export interface UnreadRoles {
  /** Names of APIRoles: what they inherit is unknown, so their holders may hold anything. */
  readonly roles: ReadonlySet<string>;
  /** Roles that APIRoleBindings name: who holds them is unknown. `undefined` stands for a binding of any role. */
  readonly bound: ReadonlySet<string | undefined>;
}

/** Who holds a role where a `deny` asks: everyone that may hold it. */
export interface DeniedRoles {
  /** Bound roles that make their holder hold `role`; undefined where anyone may hold it. */
  impliedBy(role: string): ReadonlySet<string> | undefined;
}

/**
 * For every role that is defined, inherited or bound: itself and all roles that inherit it, cycles included. Anyone may
 * hold a role that nobody defines and nobody binds, and one whose holders cannot be read.
 */
export function compileDeniedRoles(inputs: Inheritance, bound: ReadonlySet<string>, unread: UnreadRoles): DeniedRoles {
  const implied = new Map<string, Set<string>>();
  /** Roles that anyone may hold, for nobody knows who is bound to them. */
  const open = new Set<string>();
  /** Roles whose holders may hold every other: they inherit one that cannot be read. */
  const boundless = new Set<string>();
  let isAnyOpen = unread.bound.has(undefined);
  for (const name of new Set([...inputs.keys(), ...bound, ...unread.roles, ...unread.bound])) {
    if (name === undefined) continue;
    const held = inheritedBy(inputs, name);
    if (held.some((role) => unread.roles.has(role))) boundless.add(name);
    if (unread.bound.has(name)) {
      if (boundless.has(name)) isAnyOpen = true;
      for (const role of held) open.add(role);
    }
    for (const role of held) (implied.get(role) ?? implied.set(role, new Set()).get(role))?.add(name);
  }
  for (const [role, holders] of implied) {
    const isKnown = inputs.has(role) || [...holders].some((holder) => bound.has(holder));
    if (isKnown) for (const name of boundless) holders.add(name);
    else implied.delete(role);
  }
  return { impliedBy: (role) => (isAnyOpen || open.has(role) ? undefined : implied.get(role)) };
}
