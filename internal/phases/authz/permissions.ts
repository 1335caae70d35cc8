import type { Breathe } from '../../core/breather.ts';
import type { Evaluation } from '../../core/evaluation.ts';
import type { ProblemList } from '../../core/problem.ts';
import { PathTable } from '../../match/path-table.ts';
import { type PathTemplate, parsePathTemplate } from '../../match/path-template.ts';

/** One permission of an APIRole. */
export interface PermissionInput {
  readonly name: string;
  readonly policyRefs?: readonly { readonly name: string }[] | undefined;
  readonly allPolicies?: object | undefined;
  readonly methods?: readonly string[] | undefined;
  readonly paths?: readonly string[] | undefined;
}

/** For whom a path is permitted. */
interface Permission {
  /** undefined: every policy of the namespace. */
  readonly policies: ReadonlySet<string> | undefined;
  readonly methods: ReadonlySet<string> | undefined;
}

const EVERY_PATH: readonly string[] = ['/**'];
/** What a look at one permission of a path is charged. */
const LOOK = 10;

/**
 * What one APIRole permits by itself. A role may name thousands of paths, and who inherits has many roles: they lie in
 * trees, and what is looked at is charged to the check.
 */
export class Permissions {
  readonly #exact = new PathTable<Permission[]>({ caseInsensitive: false });
  readonly #folded = new PathTable<Permission[]>({ caseInsensitive: true });

  add(permission: Permission, templates: readonly PathTemplate[]): void {
    for (const template of templates) {
      for (const table of [this.#exact, this.#folded]) table.add({ template, value: [] }).value.push(permission);
    }
  }

  /** Whether one of them is for the policy and method of this check, and for its path by one reading. */
  permit(reading: readonly string[], evaluation: Evaluation): boolean {
    return (evaluation.caseInsensitive ? this.#folded : this.#exact).some(reading, isAnyFor, evaluation);
  }
}

/** Compiles the permissions of one APIRole; every mistake of the author goes to `problems`. */
export async function compilePermissions(
  inputs: readonly PermissionInput[],
  problems: ProblemList,
  breathe: Breathe,
): Promise<Permissions> {
  const permissions = new Permissions();
  for (const [index, { policyRefs, allPolicies, methods, paths = EVERY_PATH }] of inputs.entries()) {
    await breathe();
    const at = problems.at(index).at('paths');
    const templates = paths.map((path, position) => parsePathTemplate(path, at.at(position)));
    const read = templates.filter((template) => template !== undefined);
    // A path that cannot be read grants nothing: the whole permission is left out.
    if (read.length < paths.length) continue;
    const policies = allPolicies === undefined ? new Set(policyRefs?.map((ref) => ref.name)) : undefined;
    permissions.add({ policies, methods: methods && new Set(methods) }, read);
  }
  return permissions;
}

function isAnyFor(permissions: readonly Permission[], evaluation: Evaluation): boolean {
  const { request, policy } = evaluation;
  for (const { policies, methods } of permissions) {
    evaluation.work -= LOOK;
    if (policies !== undefined && !policies.has(policy.name)) continue;
    if (methods === undefined || methods.has(request.method)) return true;
  }
  return false;
}
