import { ExpressionError } from '../../core/expression-error.ts';
import { include, isGranting, type RoleNode } from './inheritance.ts';
import { RoleSet } from './role-set.ts';

/** What `identity.roles` is while nobody can tell what the caller holds. A shorter list would open a deny. */
export const ROLES_UNKNOWN = new ExpressionError('a role of the caller is gone, in a cycle or cannot be read');
const NO_ROLES: readonly string[] = Object.freeze([]);

/** What the roles that are bound to one subject, an identity or a peer, come to. */
export class Holder {
  /** Roles that grant: bound and inherited ones, as far as they are there. */
  readonly granted: RoleSet;
  /** All roles it may hold where a `deny` asks, unless `isBoundless`. */
  readonly held: RoleSet;
  /** It may hold any role. */
  readonly isBoundless: boolean;
  /** Names of the granted roles in order; an error where it may hold others. */
  readonly roles: readonly string[] | ExpressionError;
  #joinedWith: Holder | undefined = undefined;
  #joined: readonly string[] | ExpressionError = NO_ROLES;

  /** @param places the namespace's roles by place */
  constructor(bound: readonly RoleNode[], places: readonly RoleNode[]) {
    this.granted = new RoleSet(places.length);
    this.held = new RoleSet(places.length);
    for (const node of bound) {
      include(this.held, node, node.above);
      if (isGranting(node)) include(this.granted, node, node.granting);
    }
    this.isBoundless = bound.some((node) => node.isBoundless);
    this.roles = bound.every((node) => node.isWhole) ? namesIn(this.granted, places) : ROLES_UNKNOWN;
  }

  /** Names of the roles of both; kept for the last peer, for one identity mostly comes by one. */
  rolesWith(peer: Holder): readonly string[] | ExpressionError {
    if (this.#joinedWith === peer) return this.#joined;
    this.#joined = join(this.roles, peer.roles);
    this.#joinedWith = peer;
    return this.#joined;
  }
}

function namesIn(set: RoleSet, places: readonly RoleNode[]): readonly string[] {
  const names: string[] = [];
  for (let place = set.next(0); place !== -1; place = set.next(place + 1)) {
    const node = places[place];
    if (node !== undefined) names.push(node.name);
  }
  return names.length === 0 ? NO_ROLES : Object.freeze(names.sort());
}

function join(own: Holder['roles'], peers: Holder['roles']): Holder['roles'] {
  if (own instanceof ExpressionError) return own;
  if (peers instanceof ExpressionError || own.length === 0) return peers;
  return Object.freeze([...new Set([...own, ...peers])].sort());
}
