import type { Refusal } from '../../core/decision.ts';
import type { Request } from '../../core/request.ts';
import type { Loan } from './loan.ts';

/** What became of a check at one step. */
export interface Taken {
  readonly refusal: Refusal | undefined;
  /** What it may still give back. */
  readonly loan: Loan | undefined;
}

/** Nearly every check: one object for all, so that none is kept for it. */
export const PASSED: Taken = Object.freeze({ refusal: undefined, loan: undefined });

/** How long a check is known again, in milliseconds. */
export const RECENT_MS = 10_000;

/** Places: sets of a few ways; in a full set the oldest check is forgotten. */
const SETS = 16_384;
const WAYS = 4;
const PRIME = 0x0100_0193;

/**
 * What checks took a moment ago, so that a check that Envoy retries takes once. It is known by Envoy's stream id, its
 * time and the peer's address, none of which a client chooses. Kept as plain numbers in a fixed space: a string for each
 * check would have to be collected again.
 */
export class RecentChecks {
  readonly #low = new Uint32Array(SETS * WAYS);
  readonly #high = new Uint32Array(SETS * WAYS);
  readonly #requestMs = new Float64Array(SETS * WAYS);
  readonly #atMs = new Float64Array(SETS * WAYS).fill(-Infinity);
  /** Which look-up made the place ready: another one may take it while the first still waits. */
  readonly #tickets = new Float64Array(SETS * WAYS);
  readonly #taken: (Taken | Promise<Taken>)[] = new Array<Taken | Promise<Taken>>(SETS * WAYS).fill(PASSED);
  /** Where the check that was looked for last would go. */
  #place = 0;
  #owners = 0;
  #ticket = 0;

  /** A number for one step: the same check at another step is another one. */
  newOwner(): number {
    this.#owners += 1;
    return this.#owners;
  }

  /** What this very check took a moment ago, or is about to; if nothing, `remember` may follow at once. */
  find(owner: number, request: Request, nowMs: number): Taken | Promise<Taken> | undefined {
    const low = textHash(request.id, textHash(request.source.address, owner));
    const high = textHash(request.id, low ^ 0x9e37_79b9);
    const first = (low % SETS) * WAYS;
    let oldest = first;
    for (let at = first; at < first + WAYS; at += 1) {
      const isSame = this.#low[at] === low && this.#high[at] === high && this.#requestMs[at] === request.timeMs;
      if (isSame && nowMs - (this.#atMs[at] ?? 0) < RECENT_MS) return this.#taken[at];
      if ((this.#atMs[at] ?? 0) < (this.#atMs[oldest] ?? 0)) oldest = at;
    }
    this.#place = oldest;
    this.#low[oldest] = low;
    this.#high[oldest] = high;
    this.#requestMs[oldest] = request.timeMs;
    this.#atMs[oldest] = -Infinity;
    this.#ticket += 1;
    this.#tickets[oldest] = this.#ticket;
    return undefined;
  }

  /** The place that the last `find` made ready, with the ticket that proves it is still its own; kept across a wait. */
  get made(): Made {
    return { place: this.#place, ticket: this.#ticket };
  }

  remember({ place, ticket }: Made, taken: Taken | Promise<Taken>, nowMs: number): void {
    if (this.#tickets[place] !== ticket) return;
    this.#atMs[place] = nowMs;
    this.#taken[place] = taken;
  }

  /** Nothing is taken any more: the check takes anew if it comes again. */
  forget({ place, ticket }: Made): void {
    if (this.#tickets[place] !== ticket) return;
    this.#atMs[place] = -Infinity;
    this.#taken[place] = PASSED;
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
