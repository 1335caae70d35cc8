import { type Problem, ProblemList } from '../core/problem.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import type { ApiBaselineSpec } from '../policy/resource/api-baseline.ts';
import type { ApiConsumerSpec } from '../policy/resource/api-consumer.ts';
import type { ApiPolicySpec } from '../policy/resource/api-policy.ts';
import type { ApiRoleBindingSpec, ApiRoleSpec } from '../policy/resource/api-role.ts';
import { KINDS, type KindName } from '../policy/resource/kinds.ts';

/** An object of one kind whose spec can be read, with the list its hints go to. */
interface Read<S> {
  readonly file: FileObject;
  readonly spec: S;
  readonly hints: ProblemList;
}

/**
 * What is no mistake for an instance, and most likely one for the author: policies that let nobody in, and names that
 * no object of these files has. Warnings all, for the rest may lie elsewhere.
 *
 * @param isWhole nothing of the files could not be read: else nobody knows which names are missing
 */
export function lintHints(files: readonly FileObject[], { isWhole }: { readonly isWhole: boolean }): LocatedProblem[] {
  const policies = readKind<ApiPolicySpec>('APIPolicy', files);
  const roles = readKind<ApiRoleSpec>('APIRole', files);
  const bindings = readKind<ApiRoleBindingSpec>('APIRoleBinding', files);
  const consumers = readKind<ApiConsumerSpec>('APIConsumer', files);
  const baselines = readKind<ApiBaselineSpec>('APIBaseline', files);
  // Which namespaces it is for may depend on labels that are in no file.
  const isGiven = baselines.some(({ spec }) => spec.defaults?.authentication !== undefined);
  for (const { spec, hints } of policies) hintAtClosed(spec, hints, isGiven);
  if (!isWhole) return located(policies);
  const named = (kind: string, namespace: string, name: string): boolean =>
    files.some(
      ({ object }) => object.kind === kind && object.metadata.namespace === namespace && object.metadata.name === name,
    );
  for (const { file, spec, hints } of roles) {
    const { namespace } = file.object.metadata;
    hintAtPolicies(spec, (name) => named('APIPolicy', namespace, name), hints);
  }
  for (const { file, spec, hints } of bindings) {
    const { namespace } = file.object.metadata;
    const isHere = ({ object }: FileObject): boolean => object.metadata.namespace === namespace;
    const groups = consumers.filter(({ file }) => isHere(file));
    const all = files.filter((other) => other.object.kind === 'APIConsumer' && isHere(other));
    hintAtSubjects(spec, hints, {
      hasConsumer: (name) => named('APIConsumer', namespace, name),
      // One whose spec is wrong may be meant to have it.
      hasGroup: (name) => all.length > groups.length || groups.some((consumer) => consumer.spec.groups.includes(name)),
    });
  }
  return located([...policies, ...roles, ...bindings]);
}

const located = (all: readonly Read<unknown>[]): LocatedProblem[] =>
  all.flatMap(({ file, hints }) =>
    hints.problems.map((problem: Problem) => ({ ...problem, place: file.placeOf(problem.path) })),
  );

function readKind<S>(kind: KindName, files: readonly FileObject[]): Read<S>[] {
  return files.flatMap((file) => {
    if (file.object.kind !== kind) return [];
    const parsed = KINDS[kind].spec.safeParse(file.object.spec ?? {});
    return parsed.success ? [{ file, spec: parsed.data as S, hints: new ProblemList() }] : [];
  });
}

/** @param isGiven a baseline gives authentication to policies that leave it out */
function hintAtClosed(spec: ApiPolicySpec, hints: ProblemList, isGiven: boolean): void {
  const isPublicOnly =
    spec.public !== undefined && spec.authentication === undefined && spec.authorization === undefined;
  if (spec.mode === 'Audit' || isPublicOnly) return;
  const but = spec.public === undefined ? '' : ' but by its public routes';
  for (const section of ['authentication', 'authorization'] as const) {
    if (section === 'authentication' && isGiven) continue;
    if (spec[section] === undefined) hints.warn('NobodyAllowed', `Without ${section} nobody can get in${but}`);
  }
}

function hintAtPolicies(spec: ApiRoleSpec, hasPolicy: (name: string) => boolean, hints: ProblemList): void {
  for (const [index, { policyRefs = [] }] of spec.permissions.entries()) {
    for (const [position, { name }] of policyRefs.entries()) {
      if (hasPolicy(name)) continue;
      const at = hints.at('permissions').at(index).at('policyRefs').at(position);
      at.warn('PolicyNotFound', `No APIPolicy "${name}" of this namespace is in these files: it permits nothing there`);
    }
  }
}

interface Subjects {
  readonly hasConsumer: (name: string) => boolean;
  readonly hasGroup: (name: string) => boolean;
}

function hintAtSubjects(spec: ApiRoleBindingSpec, hints: ProblemList, { hasConsumer, hasGroup }: Subjects): void {
  for (const [index, { consumer, consumerGroup }] of spec.subjects.entries()) {
    const at = hints.at('subjects').at(index);
    if (consumer !== undefined && !hasConsumer(consumer.name))
      at.warn('SubjectNotFound', `No APIConsumer "${consumer.name}" of this namespace is in these files`);
    if (consumerGroup !== undefined && !hasGroup(consumerGroup.name))
      at.warn(
        'SubjectNotFound',
        `No APIConsumer of this namespace in these files has the group "${consumerGroup.name}"`,
      );
  }
}
