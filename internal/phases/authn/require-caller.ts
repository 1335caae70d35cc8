import type { Refusal } from '../../core/decision.ts';
import type { Step } from '../../core/evaluation.ts';
import { matchesAll, type PathMatcher } from '../../match/path-template.ts';

/** That callers are known, but on some paths. */
export interface CallerRequirement {
  /** Where nobody need be known; undefined: nowhere. */
  readonly openPaths: PathMatcher | undefined;
  readonly refusal: Refusal;
}

/**
 * Refuses who has proved nothing, in any mode: callers whom a public route or `anonymous` lets in, and those of a policy
 * in Audit that authentication would have refused. Of several requirements each has to leave the path open.
 */
export function requireCaller(requirements: readonly CallerRequirement[]): Step {
  return ({ identity: { kind }, request }) => {
    if (kind !== 'anonymous' && kind !== 'unauthenticated') return undefined;
    for (const { openPaths, refusal } of requirements)
      if (openPaths === undefined || matchesAll(openPaths, request.readings) === undefined) return refusal;
    return undefined;
  };
}
