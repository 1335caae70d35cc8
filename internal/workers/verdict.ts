import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/decision.ts';

/** What the main process says of whether checks may be answered now. Times of the monotonic clock are the machine's. */
export interface Verdict {
  /** Why they may not be. */
  readonly refusal: Refusal | undefined;
  readonly sentWallMs: number;
  readonly sentMs: number;
  /** Until then others count on this instance, as far as it knew. */
  readonly heldUntilMs: number;
}

/** How long others count on an instance at least, and after how long it counts as stopped. */
export interface LeaseTimes {
  readonly heldMs: number;
  readonly stopMs: number;
}

/** How often the main process says it. */
export const VERDICT_EVERY_MS = 250;

const UNTOLD: Refusal = Object.freeze({ reason: 'no_snapshot' });
const STALE: Refusal = Object.freeze({ reason: 'stale_snapshot', retryAfterS: 1 });

/**
 * Whether a worker may answer checks: as the main process last said, and only while it goes on saying so. One that is not
 * heard may have been stopped, with its Lease gone meanwhile: what others call programmed by then is not known here.
 */
export class HeardVerdict {
  readonly #clock: Clock;
  /** What makes a time of this process one of the machine. */
  readonly #machineMs: number;
  readonly #times: LeaseTimes;
  #heard: Verdict | undefined = undefined;

  constructor(clock: Clock, machineMs: number, times: LeaseTimes) {
    this.#clock = clock;
    this.#machineMs = machineMs;
    this.#times = times;
  }

  hear(verdict: Verdict): void {
    this.#heard = verdict;
  }

  /** Asked by every check. */
  refusal(): Refusal | undefined {
    const heard = this.#heard;
    if (heard === undefined) return UNTOLD;
    if (heard.refusal !== undefined) return heard.refusal;
    return this.#isStale(heard) ? STALE : undefined;
  }

  /** By either clock: the wall's goes on while the machine is suspended, the other one is never set. */
  #isStale({ sentMs, sentWallMs, heldUntilMs }: Verdict): boolean {
    const { heldMs, stopMs } = this.#times;
    const nowMs = this.#clock.monotonicMs() + this.#machineMs;
    const sinceMs = Math.max(nowMs - sentMs, this.#clock.wallMs() - sentWallMs);
    if (sinceMs < stopMs) return false;
    // A main process that the API server did not answer goes on with what it has, unless it was stopped for very long.
    return sinceMs >= heldMs || (sentMs < heldUntilMs && sentMs + sinceMs >= heldUntilMs);
  }
}
