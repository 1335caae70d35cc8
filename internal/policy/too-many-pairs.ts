import type { Problem } from '../core/problem.ts';
import type { Claim } from './claiming.ts';
import { suffixesOf } from './claims.ts';

/** Hosts times paths times labels that one policy may claim where others have to be compared with it. */
const MAX_PAIRS = 40_000;

/** Of each policy by itself, whatever others claim: so no other can bring it about. */
export function tooManyPairs({ hosts, templates }: Claim): Problem | undefined {
  let labels = 0;
  for (const host of hosts) labels += suffixesOf(host).length + 1;
  const count = labels * templates.length;
  if (count <= MAX_PAIRS) return undefined;
  const message = `The labels of its hosts times its paths are ${count}, and at most ${MAX_PAIRS} are compared with others: make two policies of it`;
  return { reason: 'Invalid', path: 'spec.target', message, severity: 'error' };
}
