import { isOutage } from './kube-error.ts';

const FIRST_MS = 200;

/**
 * The pause before try number `failures` (from 1): doubled each time up to `mostMs`, then somewhere between half and
 * all of it, so that replicas which failed together do not come back together.
 *
 * @param random from 0 to 1
 */
function backoffMs(failures: number, mostMs: number, random: number): number {
  const full = Math.min(mostMs, FIRST_MS * 2 ** Math.min(failures - 1, 20));
  return full * (0.5 + random / 2);
}

/** Longest pauses before another try. */
export interface LongestPauses {
  /** In an outage (`isOutage`): what changes when it is over is to be seen at once. */
  readonly awayMs: number;
  /** Where this alone is refused: that takes somebody to mend it. */
  readonly refusedMs: number;
}

/**
 * How often in a row it went wrong, told apart by whether this was refused or nothing is to be had, so that neither a long
 * outage nor its last moments (who comes up refuses at first) make the first try after it late.
 */
export class Retries {
  readonly #longest: LongestPauses;
  readonly #random: () => number;
  #away = 0;
  #refused = 0;

  constructor(longest: LongestPauses, random: () => number) {
    this.#longest = longest;
    this.#random = random;
  }

  /** Nothing is wrong any more. */
  clear(): void {
    this.#away = 0;
    this.#refused = 0;
  }

  /**
   * Counts one more failure.
   *
   * @param status the API server's, 0 without an answer
   * @returns how long to wait, in milliseconds
   */
  failed(status: number): number {
    const isAway = isOutage(status);
    if (isAway) this.#away += 1;
    else this.#refused += 1;
    const { awayMs, refusedMs } = this.#longest;
    return isAway ? backoffMs(this.#away, awayMs, this.#random()) : backoffMs(this.#refused, refusedMs, this.#random());
  }
}
