import type { PendingAsks } from './pending-asks.ts';

/** Looks in the time after which an owner has stalled: one pause of this process is not taken for one of the owner. */
const LOOKS = 4;

/** Notices when an owner that was asked answers nothing, by one timer for all asks, which runs only while some wait. */
export class StallWatch {
  readonly #everyMs: number;
  readonly #pending: PendingAsks;
  readonly #why: Error;
  #timer: NodeJS.Timeout | undefined;
  /** Looks since the last answer. */
  #looks = 0;
  hasStalled = false;

  /** @param why told to all who wait when it has stalled */
  constructor(stallMs: number, pending: PendingAsks, why: Error) {
    this.#everyMs = stallMs / LOOKS;
    this.#pending = pending;
    this.#why = why;
  }

  /** Something is asked. */
  watch(): void {
    if (this.#timer !== undefined) return;
    this.#looks = 0;
    this.#timer = setTimeout(this.#look, this.#everyMs).unref();
  }

  answered(): void {
    this.#looks = 0;
    this.hasStalled = false;
  }

  /** The connection is another one. */
  reset(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.answered();
  }

  readonly #look = (): void => {
    this.#timer = undefined;
    if (!this.#pending.isAwaited) return;
    this.#looks += 1;
    if (this.#looks < LOOKS) {
      this.#timer = setTimeout(this.#look, this.#everyMs).unref();
      return;
    }
    this.hasStalled = true;
    this.#pending.giveUp(this.#why);
  };
}
