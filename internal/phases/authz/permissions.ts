import type { Breathe } from '../../core/breather.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import { ProblemList } from '../../core/problem.ts';
import { compilePathTemplates, matchesAll, type PathMatcher } from '../../match/path-template.ts';

/** One permission of an APIRole. */
export interface PermissionInput {
  readonly name: string;
  readonly policyRefs?: readonly { readonly name: string }[] | undefined;
  readonly allPolicies?: object | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
}

export interface Permission {
  /** undefined: every policy of the namespace. */
  readonly policies: ReadonlySet<string> | undefined;
  readonly methods: ReadonlySet<string> | undefined;
  readonly exact: PathMatcher | undefined;
  readonly folded: PathMatcher | undefined;
}

/** Compiles the permissions of one APIRole; every mistake of the author goes to `problems`. */
export async function compilePermissions(
  inputs: readonly PermissionInput[],
  problems: ProblemList,
  breathe: Breathe,
): Promise<readonly Permission[]> {
  const permissions: Permission[] = [];
  for (const [index, input] of inputs.entries()) {
    await breathe();
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

/** Whether one of the permissions is for this policy, method and path. */
export function permitsAny(permissions: readonly Permission[], evaluation: Evaluation): boolean {
  for (const permission of permissions) if (covers(permission, evaluation)) return true;
  return false;
}

function covers(permission: Permission, evaluation: Evaluation): boolean {
  const { request, policy } = evaluation;
  if (permission.policies !== undefined && !permission.policies.has(policy.name)) return false;
  if (permission.methods !== undefined && !permission.methods.has(request.method)) return false;
  const matcher = evaluation.caseInsensitive ? permission.folded : permission.exact;
  return matcher === undefined || matchesAll(matcher, request.readings) !== undefined;
}
