import type { Breathe } from '../../core/breather.ts';
import type { Evaluation, RoleIndex } from '../../core/evaluation.ts';
import type { ExpressionError } from '../../core/expression-error.ts';
import type { Identity } from '../../core/identity.ts';
import { isSpent } from '../../core/meter.ts';
import { ProblemList } from '../../core/problem.ts';
import { type BindingInput, type Bindings, compileBindings } from './bindings.ts';
import { heldByAll, type UnreadBindings } from './denied-roles.ts';
import { Holder, ROLES_UNKNOWN } from './holder.ts';
import { compileInheritance, type RoleNode } from './inheritance.ts';
import { missingRole } from './missing-role.ts';
import { Permissions } from './permissions.ts';
import type { RoleSet } from './role-set.ts';

/** One APIRole, as its namespace's index needs it. */
export interface RoleInput {
  readonly name: string;
  readonly inherits: readonly { readonly name: string }[];
  /** Its own, compiled. */
  readonly permissions: Permissions;
}

export interface CompiledRoles {
  readonly index: RoleIndex;
  /** By role name: a cycle, a role it inherits that is not there. */
  readonly problems: ReadonlyMap<string, ProblemList>;
  readonly defined: ReadonlySet<string>;
  /** Roles that a binding names, whether or not they are defined. */
  readonly bound: ReadonlySet<string>;
}

export interface RoleOptions {
  readonly clusterIssuer: string | undefined;
  readonly unread: UnreadBindings;
  /** Awaited between objects, so that compiling never keeps a check waiting. */
  readonly breathe: Breathe;
}

/**
 * Builds the live role index of one namespace. Roles in a cycle of `inherits` grant nothing. A role whose spec cannot
 * be read is left out of `roles`: it counts as gone.
 */
export async function compileRoles(
  roles: readonly RoleInput[],
  bindings: readonly BindingInput[],
  { clusterIssuer, unread, breathe }: RoleOptions,
): Promise<CompiledRoles> {
  const inputs = new Map(roles.map((role) => [role.name, role]));
  const subjects = await compileBindings(bindings, { clusterIssuer, breathe });
  const named = [...subjects.roles, ...[...unread].filter((name) => name !== undefined)];
  const nodes = await compileInheritance(inputs, named, breathe);
  const problems = new Map<string, ProblemList>();
  for (const role of roles) {
    await breathe();
    problems.set(role.name, inheritanceProblems(role, nodes, inputs));
  }
  const places = [...nodes.values()];
  const index = new NamespaceRoles({
    nodes,
    places,
    permissions: places.map(({ name }) => inputs.get(name)?.permissions ?? NO_PERMISSIONS),
    open: heldByAll(nodes, subjects.roles, unread),
    isUnread: unread.size > 0,
    subjects,
  });
  return { index, problems, defined: new Set(inputs.keys()), bound: subjects.roles };
}

function inheritanceProblems(
  role: RoleInput,
  nodes: ReadonlyMap<string, RoleNode>,
  defined: ReadonlyMap<string, RoleInput>,
): ProblemList {
  const list = new ProblemList();
  const problems = list.at('inherits');
  if (nodes.get(role.name)?.isInCycle) {
    problems.reference(
      'RoleCycle',
      `"${role.name}" inherits itself through other roles, so it grants nothing: break the cycle`,
    );
  }
  for (const [index, { name }] of role.inherits.entries()) {
    if (nodes.get(name)?.isDefined) continue;
    problems.at(index).reference('RoleNotFound', missingRole(name, defined.keys()));
  }
  return list;
}

interface IndexParts {
  readonly nodes: ReadonlyMap<string, RoleNode>;
  readonly places: readonly RoleNode[];
  /** By place. */
  readonly permissions: readonly Permissions[];
  readonly open: RoleSet | 'all';
  /** Some binding cannot be read: nobody knows who holds what. */
  readonly isUnread: boolean;
  readonly subjects: Bindings;
}

const NO_PERMISSIONS = new Permissions();

class NamespaceRoles implements RoleIndex {
  readonly #parts: IndexParts;
  /** An identity object lives as long as its token's cache entry. */
  readonly #identities = new WeakMap<Identity, Holder>();
  /** By SPIFFE id; only ids that a binding names. */
  readonly #peers = new Map<string, Holder>();
  readonly #nobody: Holder;

  constructor(parts: IndexParts) {
    this.#parts = parts;
    this.#nobody = new Holder([], parts.places);
  }

  rolesOf(evaluation: Evaluation): readonly string[] | ExpressionError {
    if (this.#parts.isUnread) return ROLES_UNKNOWN;
    const own = this.#holder(evaluation.identity);
    const peer = this.#peer(evaluation);
    return peer === undefined ? own.roles : own.rolesWith(peer);
  }

  permits(role: string, evaluation: Evaluation): boolean {
    const node = this.#parts.nodes.get(role);
    if (node === undefined) return false;
    const isGranted = this.#holder(evaluation.identity).granted.has(node.place);
    if (!isGranted && this.#peer(evaluation)?.granted.has(node.place) !== true) return false;
    const { kept, others } = evaluation.request.readings;
    if (!this.#grants(node, kept, evaluation)) return false;
    for (const reading of others) if (!this.#grants(node, reading, evaluation)) return false;
    return true;
  }

  /** Whether the role, or one that it inherits, permits the path by one of its readings. */
  #grants({ place: own, granting }: RoleNode, reading: readonly string[], evaluation: Evaluation): boolean {
    const { permissions } = this.#parts;
    if (permissions[own]?.permit(reading, evaluation) === true) return true;
    for (let place = granting.next(0); place !== -1; place = granting.next(place + 1)) {
      // What could not be looked at to its end helps nobody.
      if (isSpent(evaluation)) return false;
      if (permissions[place]?.permit(reading, evaluation) === true) return true;
    }
    return false;
  }

  isHeldForDeny(role: string, evaluation: Evaluation): boolean {
    const { nodes, open } = this.#parts;
    const node = nodes.get(role);
    if (node === undefined || open === 'all' || open.has(node.place)) return true;
    if (mayHold(this.#holder(evaluation.identity), node)) return true;
    const peer = this.#peer(evaluation);
    return peer !== undefined && mayHold(peer, node);
  }

  #holder(identity: Identity): Holder {
    const known = this.#identities.get(identity);
    if (known !== undefined) return known;
    const holder = this.#holderOf(this.#parts.subjects.identityRoles(identity));
    this.#identities.set(identity, holder);
    return holder;
  }

  /** The verified peer certificate's holder; undefined when no role is bound to it. */
  #peer({ request: { source } }: Evaluation): Holder | undefined {
    const { principal } = source;
    if (principal === '') return undefined;
    const known = this.#peers.get(principal);
    if (known !== undefined) return known;
    const bound = this.#parts.subjects.peerRoles(principal);
    if (bound === undefined) return undefined;
    const holder = this.#holderOf(bound);
    this.#peers.set(principal, holder);
    return holder;
  }

  #holderOf(bound: Iterable<string>): Holder {
    const { nodes, places } = this.#parts;
    const own: RoleNode[] = [];
    for (const name of bound) {
      const node = nodes.get(name);
      if (node !== undefined) own.push(node);
    }
    return own.length === 0 ? this.#nobody : new Holder(own, places);
  }
}

const mayHold = ({ isBoundless, held }: Holder, { place }: RoleNode): boolean => isBoundless || held.has(place);
