import type { Breathe } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import type { Candidate } from './assign.ts';
import { labelCountOf } from './claim-labels.ts';
import type { ClaimedTarget } from './claimed-target.ts';
import type { Claim } from './claiming.ts';
import { coarseClaim } from './coarse-claim.ts';

/** What a namespace may claim for each policy that it may have, and at the least. */
const EACH = 10;
const LEAST = 40_000;

/** How much a claim is to enter and to compare: each path on each host, and each label of the hosts. */
export const extentOf = (claim: Claim): number => claim.hosts.length * claim.templates.length + labelCountOf(claim);

interface Left {
  /** For claims as they are written. */
  exact: number;
  /** For those that are too much, by their hosts alone. */
  coarse: number;
}

/**
 * What the claims of all namespaces come to while one snapshot is built: all of them are entered and compared in each
 * build, whoever's change it is for. What serves is taken first, then what status tells that did, then what is new, older
 * first. No namespace's claims are another's.
 */
class ClaimBounds {
  readonly #most: number;
  readonly #left = new Map<string, Left>();
  /** By policy, what it has taken: the larger of its two specs. */
  readonly #taken = new Map<object, number>();

  constructor(most: number) {
    this.#most = most;
  }

  /** Takes what was found to fit before. */
  hold({ meta, accepted, isRestored, lapsed }: Candidate): void {
    const held = (isRestored ? undefined : accepted) ?? lapsed;
    if (held === undefined) return;
    const extent = extentOf(held.target);
    this.#leftOf(meta.namespace).exact -= extent;
    this.#taken.set(meta, extent);
  }

  /** Takes what served before this process began, as far as it is within the bound. */
  holdRecorded({ meta, accepted, isRestored, newest, isRecordedNewest }: Candidate): void {
    const recorded = isRestored ? accepted : isRecordedNewest ? newest : undefined;
    if (recorded !== undefined) this.#fits(recorded.target, meta);
  }

  /** The candidate with what of it is within the bound; the same one where all of it is. */
  bounded(candidate: Candidate): Candidate {
    const { meta, newest, accepted, isRestored, claimed } = candidate;
    const hasRoom = this.#fits(newest?.target ?? claimed, meta);
    const keepsOlder = !isRestored || accepted === undefined || this.#fits(accepted.target, meta);
    if (hasRoom && keepsOlder) return candidate;
    return {
      ...candidate,
      newest: hasRoom ? newest : undefined,
      accepted: keepsOlder ? accepted : undefined,
      isRestored: keepsOlder && isRestored,
      claimed: hasRoom ? claimed : this.#coarse(claimed, meta.namespace),
    };
  }

  /** Coarse, so that it denies; by nothing where even that is too much. */
  #coarse(claimed: ClaimedTarget, namespace: string): ClaimedTarget {
    const coarse = coarseClaim(claimed);
    const extent = extentOf(coarse);
    const left = this.#leftOf(namespace);
    if (extent > left.coarse) return Object.freeze({ ...coarse, hosts: NO_HOSTS });
    left.coarse -= extent;
    return coarse;
  }

  #fits(claim: Claim, meta: Candidate['meta']): boolean {
    const taken = this.#taken.get(meta) ?? 0;
    const more = extentOf(claim) - taken;
    if (more <= 0) return true;
    const left = this.#leftOf(meta.namespace);
    if (more > left.exact) return false;
    left.exact -= more;
    this.#taken.set(meta, taken + more);
    return true;
  }

  #leftOf(namespace: string): Left {
    let left = this.#left.get(namespace);
    if (left === undefined) {
      left = { exact: this.#most, coarse: this.#most };
      this.#left.set(namespace, left);
    }
    return left;
  }
}

const NO_HOSTS: readonly string[] = Object.freeze([]);

export interface BoundedClaims<R> {
  /** In the order in which they were given. */
  readonly candidates: ReadonlyMap<Candidate, R>;
  /** Whether its newest spec claims too much. */
  problemsOf(candidate: Candidate): readonly Problem[];
}

/**
 * Bounds what the policies of each namespace claim together, so that nothing which one of them writes makes a build last.
 *
 * @param given sorted by `compareAge`, each with what belongs to it
 * @param policies how many a namespace may have; undefined: there is no bound
 * @param breathe awaited between policies
 */
export async function boundClaims<R>(
  given: ReadonlyMap<Candidate, R>,
  policies: number | undefined,
  breathe: Breathe,
): Promise<BoundedClaims<R>> {
  const problems = new Map<Candidate, readonly Problem[]>();
  const problemsOf = (candidate: Candidate): readonly Problem[] => problems.get(candidate) ?? [];
  if (policies === undefined) return { candidates: given, problemsOf };
  const most = Math.max(policies * EACH, LEAST);
  const bounds = new ClaimBounds(most);
  for (const when of ['hold', 'holdRecorded'] as const) {
    for (const candidate of given.keys()) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      bounds[when](candidate);
    }
  }
  const candidates = new Map<Candidate, R>();
  for (const [candidate, of] of given) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    const bounded = bounds.bounded(candidate);
    candidates.set(bounded, of);
    const { newest } = candidate;
    if (newest !== undefined && bounded.newest === undefined)
      problems.set(bounded, [tooMuch(extentOf(newest.target), most)]);
  }
  return { candidates, problemsOf };
}

// Nothing that changes with other policies: each change would be another status to write, for each that is refused.
const tooMuch = (extent: number, most: number): Problem => ({
  reason: 'QuotaExceeded',
  path: 'spec.target',
  message: `Its paths on all of its hosts, and the labels of those, are ${extent}, and with the policies that serve or are older that is more than the ${most} of the namespace (${EACH} for each of --namespace-policies, and ${LEAST} at the least): claim fewer hosts or paths, with "**" or a wildcard for several, or ask the platform for more`,
  severity: 'error',
});
