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
const OTHER_PRIME = 0x85eb_ca6b;
/** What is kept of a check: who it is, by Envoy's clock when it came, by ours when it was remembered, and its ticket. */
const FIELDS = 4;
const ID = 0;
const REQUEST_MS = 1;
const AT_MS = 2;
const TICKET = 3;

/**
 * What checks took a moment ago, so that a check that Envoy retries takes once. It is known by Envoy's stream id, its
 * time and the peer's address, none of which a client chooses. Kept as plain numbers in a fixed space: a string for each
 * check would have to be collected again.
 */
export class RecentChecks {
  /** A place after the other, so that a set lies in few lines of the processor's cache: see the offsets above. */
  readonly #places = new Float64Array(SETS * WAYS * FIELDS);
  readonly #taken: (Taken | Promise<Taken>)[] = new Array<Taken | Promise<Taken>>(SETS * WAYS).fill(PASSED);
  /** Where the check that was looked for last would go. */
  #place = 0;
  #owners = 0;
  #ticket = 0;

  constructor() {
    for (let at = AT_MS; at < this.#places.length; at += FIELDS) this.#places[at] = -Infinity;
  }

  /** A number for one step: the same check at another step is another one. */
  newOwner(): number {
    this.#owners += 1;
    return this.#owners;
  }

  /** What this very check took a moment ago, or is about to; if nothing, `remember` may follow at once. */
  find(owner: number, request: Request, nowMs: number): Taken | Promise<Taken> | undefined {
    const places = this.#places;
    const id = identify(owner, request);
    const first = (lowOf(id) % SETS) * WAYS;
    let oldest = first;
    for (let place = first; place < first + WAYS; place += 1) {
      const at = place * FIELDS;
      const isSame = places[at + ID] === id && places[at + REQUEST_MS] === request.timeMs;
      if (isSame && nowMs - (places[at + AT_MS] ?? 0) < RECENT_MS) return this.#taken[place];
      if ((places[at + AT_MS] ?? 0) < (places[oldest * FIELDS + AT_MS] ?? 0)) oldest = place;
    }
    this.#place = oldest;
    this.#ticket += 1;
    const at = oldest * FIELDS;
    places[at + ID] = id;
    places[at + REQUEST_MS] = request.timeMs;
    places[at + AT_MS] = -Infinity;
    places[at + TICKET] = this.#ticket;
    return undefined;
  }

  /** The place that the last `find` made ready, with the ticket that proves it is still its own; kept across a wait. */
  get made(): Made {
    return { place: this.#place, ticket: this.#ticket };
  }

  remember({ place, ticket }: Made, taken: Taken | Promise<Taken>, nowMs: number): void {
    if (this.#places[place * FIELDS + TICKET] !== ticket) return;
    this.#places[place * FIELDS + AT_MS] = nowMs;
    // Nearly always it is the one that stands there: what is not written need not be noted for the collector.
    if (this.#taken[place] !== taken) this.#taken[place] = taken;
  }

  /** Nothing is taken any more: the check takes anew if it comes again. */
  forget({ place, ticket }: Made): void {
    if (this.#places[place * FIELDS + TICKET] !== ticket) return;
    this.#places[place * FIELDS + AT_MS] = -Infinity;
    this.#taken[place] = PASSED;
  }
}

export interface Made {
  readonly place: number;
  readonly ticket: number;
}

const LOW = 0x1_0000_0000;

const lowOf = (id: number): number => id % LOW;

/** 52 bits of two hashes over what Envoy makes: they spread, and need not resist anyone, for no client chooses it. */
function identify(owner: number, { id, source: { address } }: Request): number {
  let low = (0x811c_9dc5 ^ owner) >>> 0;
  let high = (0x9e37_79b9 ^ owner) >>> 0;
  for (let i = 0; i < address.length; i += 1) {
    const unit = address.charCodeAt(i);
    low = Math.imul(low ^ unit, PRIME);
    high = Math.imul(high + unit, OTHER_PRIME);
  }
  for (let i = 0; i < id.length; i += 1) {
    const unit = id.charCodeAt(i);
    low = Math.imul(low ^ unit, PRIME);
    high = Math.imul(high + unit, OTHER_PRIME);
  }
  return ((high >>> 12) & 0xf_ffff) * LOW + (low >>> 0);
}
