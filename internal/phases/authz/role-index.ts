import type { Evaluation, RoleIndex } from '../../core/evaluation.ts';
import type { Identity } from '../../core/identity.ts';
import { ProblemList } from '../../core/problem.ts';
import { compilePathTemplates, matchesAll, type PathMatcher } from '../../match/path-template.ts';
import { type BindingInput, compileBindings } from './bindings.ts';
import { compileDeniedRoles, type DeniedRoles, type UnreadRoles } from './denied-roles.ts';
import { inheritedBy } from './inheritance.ts';

/** One APIRole, as its namespace's index needs it. */
export interface RoleInput {
  readonly name: string;
  readonly inherits: readonly { readonly name: string }[];
  readonly permissions: readonly PermissionInput[];
}

export interface PermissionInput {
  readonly name: string;
  readonly policyRefs?: readonly { readonly name: string }[] | undefined;
  readonly allPolicies?: object | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
}

interface Permission {
  /** undefined: every policy of the namespace. */
  readonly policies: ReadonlySet<string> | undefined;
  readonly methods: ReadonlySet<string> | undefined;
  readonly exact: PathMatcher | undefined;
  readonly folded: PathMatcher | undefined;
}

interface Role {
  /** Own and inherited permissions. */
  readonly permissions: readonly Permission[];
  /** The role and all it inherits: what a holder of it holds. */
  readonly holds: readonly string[];
}

export interface CompiledRoles {
  readonly index: RoleIndex;
  /** By role name: mistakes inside it, a cycle, a role it inherits that is not there. */
  readonly problems: ReadonlyMap<string, ProblemList>;
  readonly defined: ReadonlySet<string>;
  /** Roles that a binding names, whether or not they are defined. */
  readonly bound: ReadonlySet<string>;
}

interface RoleOptions {
  readonly clusterIssuer: string | undefined;
  readonly unread: UnreadRoles;
}

/** Builds the live role index of one namespace. Roles in a cycle of `inherits` grant nothing. */
export function compileRoles(
  roles: readonly RoleInput[],
  bindings: readonly BindingInput[],
  options: RoleOptions,
): CompiledRoles {
  const inputs = new Map(roles.map((role) => [role.name, role]));
  const problems = new Map(roles.map((role) => [role.name, new ProblemList()]));
  const inCycle = new Set(roles.map((role) => role.name).filter((name) => reaches(inputs, name, name)));
  const own = new Map<string, readonly Permission[]>();
  for (const role of roles) {
    const list = problems.get(role.name) ?? new ProblemList();
    own.set(role.name, compilePermissions(role, list.at('permissions')));
    reportInheritance(role, inputs, inCycle, list.at('inherits'));
  }
  const compiled = new Map<string, Role>();
  for (const name of inputs.keys()) {
    if (inCycle.has(name)) continue;
    const holds = inheritedBy(inputs, name).filter((held) => inputs.has(held) && !inCycle.has(held));
    compiled.set(name, { holds, permissions: holds.flatMap((held) => own.get(held) ?? []) });
  }
  const subjects = compileBindings(bindings, options);
  const denied = compileDeniedRoles(inputs, subjects.roles, options.unread);
  const index = new NamespaceRoles({ roles: compiled, denied, subjects });
  return { index, problems, defined: new Set(inputs.keys()), bound: subjects.roles };
}

function reportInheritance(
  role: RoleInput,
  inputs: ReadonlyMap<string, RoleInput>,
  inCycle: ReadonlySet<string>,
  problems: ProblemList,
): void {
  if (inCycle.has(role.name)) {
    problems.reference(
      'RoleCycle',
      `"${role.name}" inherits itself through other roles, so it grants nothing: break the cycle`,
    );
  }
  for (const [index, { name }] of role.inherits.entries()) {
    if (!inputs.has(name)) problems.at(index).reference('RoleNotFound', `No APIRole "${name}" in this namespace`);
  }
}

function reaches(inputs: ReadonlyMap<string, RoleInput>, from: string, to: string): boolean {
  return (inputs.get(from)?.inherits ?? []).some((parent) => inheritedBy(inputs, parent.name).includes(to));
}

function compilePermissions(role: RoleInput, problems: ProblemList): Permission[] {
  const permissions: Permission[] = [];
  for (const [index, input] of role.permissions.entries()) {
    const at = problems.at(index).at('paths');
    const exact = input.paths && compilePathTemplates(input.paths, { caseInsensitive: false }, at);
    // A path that cannot be read grants nothing: the whole permission is left out.
    if (input.paths !== undefined && exact === undefined) continue;
    permissions.push({
      policies: input.allPolicies === undefined ? new Set(input.policyRefs?.map((ref) => ref.name)) : undefined,
      methods: input.methods && new Set(input.methods),
      exact,
      folded: input.paths && compilePathTemplates(input.paths, { caseInsensitive: true }, new ProblemList()),
    });
  }
  return permissions;
}

interface IndexParts {
  readonly roles: ReadonlyMap<string, Role>;
  readonly denied: DeniedRoles;
  readonly subjects: ReturnType<typeof compileBindings>;
}

const NO_ROLES: readonly string[] = Object.freeze([]);

class NamespaceRoles implements RoleIndex {
  readonly #roles: ReadonlyMap<string, Role>;
  readonly #subjects: ReturnType<typeof compileBindings>;
  readonly #denied: DeniedRoles;
  /** An identity object lives as long as its token's cache entry; roles of one that has no SPIFFE peer never change. */
  readonly #held = new WeakMap<Identity, readonly string[]>();

  constructor(parts: IndexParts) {
    this.#roles = parts.roles;
    this.#subjects = parts.subjects;
    this.#denied = parts.denied;
  }

  rolesOf(evaluation: Evaluation): readonly string[] {
    const { identity } = evaluation;
    const viaPeer = this.#subjects.peerRoles(evaluation.request.source.principal);
    if (viaPeer !== undefined) return this.#expand([...this.#subjects.identityRoles(identity), ...viaPeer]);
    const cached = this.#held.get(identity);
    if (cached !== undefined) return cached;
    const roles = this.#expand(this.#subjects.identityRoles(identity));
    this.#held.set(identity, roles);
    return roles;
  }

  permits(role: string, evaluation: Evaluation): boolean {
    if (!this.rolesOf(evaluation).includes(role)) return false;
    for (const permission of this.#roles.get(role)?.permissions ?? []) {
      if (covers(permission, evaluation)) return true;
    }
    return false;
  }

  isHeldForDeny(role: string, evaluation: Evaluation): boolean {
    const implying = this.#denied.impliedBy(role);
    if (implying === undefined) return true;
    const held = this.#subjects.identityRoles(evaluation.identity);
    if (held.some((name) => implying.has(name))) return true;
    return this.#subjects.peerRoles(evaluation.request.source.principal)?.some((name) => implying.has(name)) ?? false;
  }

  #expand(bound: readonly string[]): readonly string[] {
    if (bound.length === 0) return NO_ROLES;
    return Object.freeze([...new Set(bound.flatMap((name) => this.#roles.get(name)?.holds ?? []))].sort());
  }
}

function covers(permission: Permission, evaluation: Evaluation): boolean {
  const { request, policy } = evaluation;
  if (permission.policies !== undefined && !permission.policies.has(policy.name)) return false;
  if (permission.methods !== undefined && !permission.methods.has(request.method)) return false;
  const matcher = evaluation.caseInsensitive ? permission.folded : permission.exact;
  return matcher === undefined || matchesAll(matcher, request.readings) !== undefined;
}
