import type { Clock } from '../core/clock.ts';

const QUIET_MS = 10_000;

/** Lines about what others can bring about as often as they like: one of a kind in ten seconds. */
export class Seldom<Kind extends string> {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #kinds = new Map<Kind, { lastMs: number; meanwhile: number }>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /**
   * @param kind one of a closed set
   * @returns how many of the kind were not told since the last one that was; undefined where this one is not to be told
   */
  next(kind: Kind): number | undefined {
    const nowMs = this.#clock.monotonicMs();
    const known = this.#kinds.get(kind);
    if (known !== undefined && nowMs - known.lastMs < QUIET_MS) {
      known.meanwhile += 1;
      return undefined;
    }
    this.#kinds.set(kind, { lastMs: nowMs, meanwhile: 0 });
    return known?.meanwhile ?? 0;
  }
}
