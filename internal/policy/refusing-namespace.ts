import type { NamespaceView } from '../core/evaluation.ts';
import { ROLES_UNKNOWN } from '../phases/authz/holder.ts';
import { thrownProblem } from './live-specs.ts';
import type { CompiledNamespace } from './namespace-objects.ts';
import type { SourceObject } from './object.ts';

/** Knows no key and grants no role; where a deny asks, everybody holds every role. */
const REFUSING: NamespaceView = Object.freeze({
  consumers: { find: () => 'unknown' as const },
  roles: { rolesOf: () => ROLES_UNKNOWN, permits: () => false, isHeldForDeny: () => true },
});

/** Stands for a namespace whose compiling threw: what it was before may let in who is not to come in any more. */
export function refusingNamespace(objects: Iterable<SourceObject>, error: unknown): CompiledNamespace {
  const all = [...objects];
  const names = all.filter(({ kind }) => kind === 'APIRole').map(({ metadata }) => metadata.name);
  const problem = thrownProblem(error);
  return {
    view: REFUSING,
    roles: { defined: new Set(names), bound: new Set() },
    problems: new Map(all.map((object) => [object, [problem]])),
    policyRefs: new Map(),
  };
}
