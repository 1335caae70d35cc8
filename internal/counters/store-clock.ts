import type { Moment } from '../phases/ratelimit/counter-store.ts';

/**
 * The newest moment that any check brought. Checks read the clock when they begin and take when they get there, so
 * moments arrive out of order; a counter that followed an older one back would forget what it counted since.
 */
export class StoreClock {
  /** Monotonic milliseconds; never falls. */
  nowMs = Number.NEGATIVE_INFINITY;
  /** Wall time that belongs to `nowMs`; it steps when the machine's clock is set. */
  wallMs = Number.NEGATIVE_INFINITY;

  advance({ monotonicMs, wallMs }: Moment): void {
    if (monotonicMs < this.nowMs) return;
    this.nowMs = monotonicMs;
    this.wallMs = wallMs;
  }
}
