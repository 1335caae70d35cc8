/**
 * At most `most` writes in any second, however they are spread: the times of the last ones, not a bucket that would let
 * twice as many pass around one moment.
 */
export class WriteRate {
  readonly #times: number[];
  #next = 0;

  constructor(most: number) {
    this.#times = new Array<number>(most).fill(-Infinity);
  }

  /** Milliseconds until a write may begin; 0 when it may now, and then it is counted. */
  take(nowMs: number): number {
    const waitMs = (this.#times[this.#next] ?? -Infinity) + 1000 - nowMs;
    if (waitMs > 0) return Math.ceil(waitMs);
    this.#times[this.#next] = nowMs;
    this.#next = (this.#next + 1) % this.#times.length;
    return 0;
  }
}
