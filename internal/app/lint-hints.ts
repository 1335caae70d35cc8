import type { Problem } from '../core/problem.ts';
import type { FileObject, LocatedProblem } from '../files/parse-file.ts';
import { missingSubjects, namedPolicies, type Subjects, subjectsOf } from '../policy/missing-references.ts';
import type { ApiBaselineSpec } from '../policy/resource/api-baseline.ts';
import type { ApiConsumerSpec } from '../policy/resource/api-consumer.ts';
import type { ApiRoleBindingSpec, ApiRoleSpec } from '../policy/resource/api-role.ts';
import { KINDS, type KindName } from '../policy/resource/kinds.ts';

/** An object of one kind whose spec can be read, with what is said of it. */
interface Read<S> {
  readonly file: FileObject;
  readonly spec: S;
  readonly hints: Problem[];
}

/**
 * Names that no object of these files has. Warnings all, for the rest may lie elsewhere, or be of another class.
 *
 * @param isWhole nothing of the files could not be read: else nobody knows which names are missing
 */
export function lintHints(files: readonly FileObject[], { isWhole }: { readonly isWhole: boolean }): LocatedProblem[] {
  if (!isWhole) return [];
  const roles = readKind<ApiRoleSpec>('APIRole', files);
  const bindings = readKind<ApiRoleBindingSpec>('APIRoleBinding', files);
  const consumers = new Map(readKind<ApiConsumerSpec>('APIConsumer', files).map(({ file, spec }) => [file, spec]));
  for (const { file, spec, hints } of roles) {
    const policies = filesOf('APIPolicy', file.object.metadata.namespace, files);
    hintAtPolicies(spec, (name) => policies.some(({ object }) => object.metadata.name === name), hints);
  }
  for (const { file, spec, hints } of bindings) {
    const here = filesOf('APIConsumer', file.object.metadata.namespace, files);
    const known = here.map((consumer) => ({ name: consumer.object.metadata.name, spec: consumers.get(consumer) }));
    hintAtSubjects(spec, subjectsOf(known), hints);
  }
  return [...roles, ...bindings].flatMap(({ file, hints }) =>
    hints.map((problem) => ({ ...problem, place: file.placeOf(problem.path) })),
  );
}

/** What instances say in words of their own, who do not see what other classes have. */
export const isHinted = ({ reason }: Problem): boolean => reason === 'PolicyNotFound' || reason === 'SubjectNotFound';

/** Whether a baseline gives authentication: to which namespaces may depend on labels that are in no file. */
export const isAuthenticationGiven = (files: readonly FileObject[]): boolean =>
  readKind<ApiBaselineSpec>('APIBaseline', files).some(({ spec }) => spec.defaults?.authentication !== undefined);

const filesOf = (kind: KindName, namespace: string, files: readonly FileObject[]): readonly FileObject[] =>
  files.filter(({ object }) => object.kind === kind && object.metadata.namespace === namespace);

function readKind<S>(kind: KindName, files: readonly FileObject[]): Read<S>[] {
  return files.flatMap((file) => {
    if (file.object.kind !== kind) return [];
    const parsed = KINDS[kind].spec.safeParse(file.object.spec ?? {});
    return parsed.success ? [{ file, spec: parsed.data as S, hints: [] }] : [];
  });
}

function hintAtPolicies(spec: ApiRoleSpec, hasPolicy: (name: string) => boolean, problems: Problem[]): void {
  for (const { name, path } of namedPolicies(spec)) {
    if (hasPolicy(name)) continue;
    const message = `No APIPolicy "${name}" of this namespace is in these files: it permits nothing there`;
    problems.push({ reason: 'PolicyNotFound', path, message, severity: 'warning' });
  }
}

function hintAtSubjects(spec: ApiRoleBindingSpec, has: Subjects, problems: Problem[]): void {
  for (const { kind, name, path } of missingSubjects(spec, has)) {
    const message =
      kind === 'consumer'
        ? `No APIConsumer "${name}" of this namespace is in these files`
        : `No APIConsumer of this namespace in these files has the group "${name}"`;
    problems.push({ reason: 'SubjectNotFound', path, message, severity: 'warning' });
  }
}
