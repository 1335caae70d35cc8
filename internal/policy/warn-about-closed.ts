import type { ProblemList } from '../core/problem.ts';
import type { ApiPolicySpec } from './resource/api-policy.ts';

/**
 * Of a policy that lets nobody in, for a section of it is missing: it is accepted, and denies. One that is public alone
 * means it, and one in Audit denies nobody.
 *
 * @param spec with what baselines give
 */
export function warnAboutClosed(spec: ApiPolicySpec, problems: ProblemList): void {
  const isPublicOnly =
    spec.public !== undefined && spec.authentication === undefined && spec.authorization === undefined;
  if (spec.mode === 'Audit' || isPublicOnly) return;
  const but = spec.public === undefined ? '' : ' but by its public routes';
  for (const section of ['authentication', 'authorization'] as const)
    if (spec[section] === undefined) problems.warn('NobodyAllowed', `Without ${section} nobody can get in${but}`);
}
