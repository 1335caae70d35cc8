import { LRUCache } from 'lru-cache';
import type { Clock } from '../../core/clock.ts';

const REMEMBERED = 256;
const QUIET_MS = 1000;

/** What others can bring about as often as they like, each of it told seldom, and of however many no more than one a second. */
export class SeldomTold {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #againMs: number;
  readonly #told = new LRUCache<string, number>({ max: REMEMBERED });
  #lastMs = Number.NEGATIVE_INFINITY;
  #meanwhile = 0;

  /** @param againMs after so long the same is told again; never, while it is remembered, unless it is given */
  constructor(clock: Pick<Clock, 'monotonicMs'>, againMs = Number.POSITIVE_INFINITY) {
    this.#clock = clock;
    this.#againMs = againMs;
  }

  /** @returns how many of all were not told since the last one that was; undefined where this one is not to be told */
  next(key: string): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const toldMs = this.#told.get(key);
    const isKnown = toldMs !== undefined && nowMs - toldMs < this.#againMs;
    if (isKnown || nowMs - this.#lastMs < QUIET_MS) {
      this.#meanwhile += 1;
      return undefined;
    }
    this.#told.set(key, nowMs);
    this.#lastMs = nowMs;
    const meanwhile = this.#meanwhile;
    this.#meanwhile = 0;
    return meanwhile;
  }
}
