import type { ProblemList } from '../../core/problem.ts';

/** Fields of a core/v1 Namespace. Only its name and labels are read: grants and baselines select by them. */
export const NAMESPACE_FIELDS: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

/** Holds a Namespace of a file to what the API server asks of one. */
export function checkNamespace({ metadata }: Readonly<Record<string, unknown>>, problems: ProblemList): void {
  const { name } = (metadata ?? {}) as { readonly name?: unknown };
  if (typeof name === 'string' && (name.length > 63 || name.includes('.'))) {
    problems
      .at('metadata')
      .at('name')
      .error('Invalid', 'A namespace has lower-case letters, digits and "-", at most 63');
  }
}
