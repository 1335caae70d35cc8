import type { Problem } from '../core/problem.ts';
import type { Candidate } from './assign.ts';
import { labelCountOf } from './claim-labels.ts';
import type { Claim } from './claiming.ts';
import { coarseClaim } from './coarse-claim.ts';

/** Hosts times paths times labels that one policy may claim where others have to be compared with it. */
const MAX_PAIRS = 40_000;

/**
 * Of each policy by itself, whatever others claim: so no other can bring it about. One path is never too many, however many
 * hosts it is on: what cannot be compared by its paths is by its hosts.
 */
export function tooManyPairs(claim: Claim): Problem | undefined {
  const paths = claim.templates.length;
  if (paths <= 1) return undefined;
  const count = labelCountOf(claim) * paths;
  if (count <= MAX_PAIRS) return undefined;
  const message = `The labels of its hosts times its paths are ${count}, and at most ${MAX_PAIRS} are compared with others: make two policies of it`;
  return { reason: 'Invalid', path: 'spec.target', message, severity: 'error' };
}

/** The candidate with a claim that can be compared: what is too large is refused, and its hosts are not let go of. */
export const comparable = (candidate: Candidate): Candidate =>
  tooManyPairs(candidate.claimed) === undefined ? candidate : { ...candidate, claimed: coarseClaim(candidate.claimed) };
