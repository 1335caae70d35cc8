import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/decision.ts';
import { systemTimers, type Timers } from '../kube/timers.ts';

export interface AdmissionOptions {
  readonly clock: Clock;
  readonly timers?: Timers;
  /** Tells the others that this replica is alive, and what it serves; false when that could not be done. */
  readonly renew: () => Promise<boolean>;
  /** Reads anew what may have changed, until it serves; more of it after a stop than behind the first snapshot. */
  readonly refresh: (after: 'first' | 'woken') => Promise<void>;
  /** The process was stopped for so long, and answers nothing until it has read everything anew. */
  readonly onWoken: (stoppedMs: number) => void;
}

/** For so long others count on a replica at least; they give it up later than it does itself. */
export const HELD_MS = 10_000;
/** A process that does not come to look for so long was stopped. */
export const STOP_MS = 1000;
const LOOK_MS = 250;
/** Longer nobody is kept waiting: what is known serves, whether the API server answers or not. */
const PATIENCE_MS = { first: 10_000, woken: 5000 } as const;

const NOT_READ: Refusal = Object.freeze({ reason: 'no_snapshot' });
const STOPPED: Refusal = Object.freeze({ reason: 'stale_snapshot', retryAfterS: 1 });

/**
 * Whether this replica may answer checks. `Programmed=True` says that all replicas that are alive serve a policy, so one
 * that was not counted, because it is new or because it was stopped until its Lease lapsed, first says that it is alive and
 * then reads what it may have missed: in this order, so that no policy comes in between unseen by both sides.
 *
 * A replica that runs, and that the API server does not answer, was not stopped: it goes on with what it has. One that is
 * stopped as well, for as long as a Lease holds, catches up: the API server may have been back all the while.
 */
export class Admission {
  readonly #options: AdmissionOptions;
  readonly #timers: Timers;
  readonly #first = Promise.withResolvers<void>();
  #refusal: Refusal | undefined = NOT_READ;
  #isBegun = false;
  #isStopped = false;
  /** The process was, while it caught up. */
  #wasStopped = false;
  #lookedMs: number;
  /** How long the machine was suspended in the stop that no renewal followed yet. */
  #suspendedSinceMs = 0;
  /** Wall clock less monotonic clock, at the last look: what a suspended machine adds to the first alone. */
  #aheadMs: number;
  /** When the newest renewal began. */
  #renewedMs = -Infinity;
  /** When the process went on after a stop that no renewal followed yet. */
  #wokenMs: number | undefined = undefined;
  #cancelLook: () => void = () => {};

  constructor(options: AdmissionOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#lookedMs = options.clock.monotonicMs();
    this.#aheadMs = options.clock.wallMs() - this.#lookedMs;
  }

  /** Resolves when it may answer for the first time. */
  get first(): Promise<void> {
    return this.#first.promise;
  }

  /** Until then others count on this replica, by the monotonic clock. */
  get heldUntilMs(): number {
    return this.#renewedMs + HELD_MS;
  }

  /** Asked by every check: nothing runs between a stop and the first check after it. */
  refusal(): Refusal | undefined {
    this.#look();
    return this.#refusal;
  }

  /** There is a snapshot. */
  built(): void {
    if (this.#isBegun) return;
    this.#isBegun = true;
    this.#lookLater();
    void this.#admit('first');
  }

  /** The Lease was renewed by a request that began then. */
  renewed(startMs: number): void {
    this.#look();
    // One that was sent before a suspension is older than the monotonic clock says.
    const isOlder = this.#wokenMs !== undefined && startMs < this.#wokenMs;
    this.#renewedMs = isOlder ? startMs - this.#suspendedSinceMs : startMs;
    if (this.#wokenMs !== undefined && startMs >= this.#wokenMs) this.#wokenMs = undefined;
  }

  stop(): void {
    this.#isStopped = true;
    this.#cancelLook();
  }

  #lookLater(): void {
    if (this.#isStopped) return;
    this.#cancelLook = this.#timers.after(LOOK_MS, () => {
      this.#look();
      this.#lookLater();
    });
  }

  #look(): void {
    const nowMs = this.#options.clock.monotonicMs();
    const wasHeld = this.#lookedMs < this.#renewedMs + HELD_MS;
    const suspendedMs = this.#suspendedMs(nowMs);
    const stoppedMs = nowMs - this.#lookedMs + suspendedMs;
    this.#lookedMs = nowMs;
    if (stoppedMs >= STOP_MS) {
      this.#wasStopped = true;
      this.#suspendedSinceMs = suspendedMs + (this.#wokenMs === undefined ? 0 : this.#suspendedSinceMs);
      this.#renewedMs -= suspendedMs;
      // Who was cut off before is not counted for another reason than a short stop.
      if (wasHeld || stoppedMs >= HELD_MS) this.#wokenMs = nowMs;
    }
    if (this.#wokenMs === undefined || nowMs < this.#renewedMs + HELD_MS) return;
    this.#wokenMs = undefined;
    if (this.#refusal !== undefined) return;
    this.#refusal = STOPPED;
    this.#options.onWoken(stoppedMs);
    void this.#admit('woken');
  }

  /**
   * How long the machine was suspended since the last look, which the monotonic clock does not count: the Lease is older
   * by as much. A wall clock that is put forward looks the same and costs a refusal of a moment; one that is put back
   * hides a suspension of no more than that.
   */
  #suspendedMs(nowMs: number): number {
    const aheadMs = this.#options.clock.wallMs() - nowMs;
    const suspendedMs = aheadMs - this.#aheadMs;
    this.#aheadMs = aheadMs;
    return suspendedMs < STOP_MS ? 0 : suspendedMs;
  }

  async #admit(after: 'first' | 'woken'): Promise<void> {
    do {
      this.#wasStopped = false;
      const { promise, resolve } = Promise.withResolvers<void>();
      const cancel = this.#timers.after(PATIENCE_MS[after], resolve);
      await Promise.race([this.#catchUp(after), promise]);
      cancel();
      this.#look();
      // Stopped again meanwhile: what was read may be old by now, and a time that ran out was not spent waiting.
    } while (this.#wasStopped && !this.#isStopped);
    this.#refusal = undefined;
    this.#first.resolve();
  }

  async #catchUp(after: 'first' | 'woken'): Promise<void> {
    try {
      if (await this.#options.renew()) await this.#options.refresh(after);
    } catch {
      // Neither of them rejects; and who cannot catch up goes on with what there is.
    }
  }
}
