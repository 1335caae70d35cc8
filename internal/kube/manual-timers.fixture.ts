import type { Clock } from '../core/clock.ts';
import type { Timers } from './timers.ts';

interface Pending {
  readonly atMs: number;
  readonly action: () => void;
}

/** A clock that is a number, and timers that run when a test moves it. */
export class ManualTimers implements Timers, Clock {
  nowMs = 1_000_000;
  /** What the wall clock is ahead of the other one. */
  skewMs = Date.UTC(2026, 10, 24);
  readonly #pending = new Set<Pending>();

  monotonicMs(): number {
    return this.nowMs;
  }

  wallMs(): number {
    return this.nowMs + this.skewMs;
  }

  after(ms: number, action: () => void): () => void {
    const pending = { atMs: this.nowMs + ms, action };
    this.#pending.add(pending);
    return () => this.#pending.delete(pending);
  }

  /** Milliseconds until each timer that is set, the next one first. */
  get left(): readonly number[] {
    return [...this.#pending].map(({ atMs }) => Math.round(atMs - this.nowMs)).sort((a, b) => a - b);
  }

  /** Moves the clock, and runs what is due on the way, each at its time. */
  advance(ms: number): void {
    const endMs = this.nowMs + ms;
    for (;;) {
      const next = [...this.#pending].sort((a, b) => a.atMs - b.atMs)[0];
      if (next === undefined || next.atMs > endMs) break;
      this.#pending.delete(next);
      this.nowMs = Math.max(this.nowMs, next.atMs);
      next.action();
    }
    this.nowMs = endMs;
  }
}
