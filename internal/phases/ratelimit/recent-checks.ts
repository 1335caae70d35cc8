import type { StepResult } from '../../core/evaluation.ts';
import type { Request } from '../../core/request.ts';

/** How long a check is known again, in milliseconds. */
export const RECENT_MS = 10_000;

/** Places: sets of a few ways; in a full set the oldest check is forgotten. */
const SETS = 16_384;
const WAYS = 4;
const PRIME = 0x0100_0193;

/**
 * Answers of checks that were asked a moment ago, so that a check that Envoy retries takes once. It is known by Envoy's
 * stream id, its time and the peer's address, none of which a client chooses. Kept as plain numbers in a fixed space: a
 * string for each check would have to be collected again.
 */
export class RecentChecks {
  readonly #low = new Uint32Array(SETS * WAYS);
  readonly #high = new Uint32Array(SETS * WAYS);
  readonly #requestMs = new Float64Array(SETS * WAYS);
  readonly #atMs = new Float64Array(SETS * WAYS).fill(-Infinity);
  /** Which look-up made the place ready: another one may take it while the first still waits. */
  readonly #tickets = new Float64Array(SETS * WAYS);
  readonly #results: StepResult[] = new Array<StepResult>(SETS * WAYS).fill(undefined);
  /** Place of the check that was looked for last, or where it would go. */
  #place = 0;
  #owners = 0;
  #ticket = 0;

  /** A number for one step: the same check at another step is another one. */
  newOwner(): number {
    this.#owners += 1;
    return this.#owners;
  }

  /** Whether this very check was answered a moment ago; if so, `result` has the answer, else `remember` may follow at once. */
  has(owner: number, request: Request, nowMs: number): boolean {
    const low = textHash(request.id, textHash(request.source.address, owner));
    const high = textHash(request.id, low ^ 0x9e37_79b9);
    const first = (low % SETS) * WAYS;
    let oldest = first;
    for (let at = first; at < first + WAYS; at += 1) {
      const isSame = this.#low[at] === low && this.#high[at] === high && this.#requestMs[at] === request.timeMs;
      if (isSame && nowMs - (this.#atMs[at] ?? 0) < RECENT_MS) {
        this.#place = at;
        return true;
      }
      if ((this.#atMs[at] ?? 0) < (this.#atMs[oldest] ?? 0)) oldest = at;
    }
    this.#place = oldest;
    this.#low[oldest] = low;
    this.#high[oldest] = high;
    this.#requestMs[oldest] = request.timeMs;
    this.#atMs[oldest] = -Infinity;
    this.#ticket += 1;
    this.#tickets[oldest] = this.#ticket;
    return false;
  }

  get result(): StepResult {
    return this.#results[this.#place];
  }

  /** The place that the last `has` made ready, with the ticket that proves it is still its own; kept across a wait. */
  get made(): Made {
    return { place: this.#place, ticket: this.#ticket };
  }

  remember({ place, ticket }: Made, result: StepResult, nowMs: number): void {
    if (this.#tickets[place] !== ticket) return;
    this.#atMs[place] = nowMs;
    this.#results[place] = result;
  }
}

export interface Made {
  readonly place: number;
  readonly ticket: number;
}

/** FNV-1a over UTF-16 units: spreads, and need not resist anyone, for no client chooses what goes in. */
function textHash(text: string, seed: number): number {
  let hash = (0x811c_9dc5 ^ seed) >>> 0;
  for (let i = 0; i < text.length; i += 1) hash = Math.imul(hash ^ text.charCodeAt(i), PRIME);
  return hash >>> 0;
}
