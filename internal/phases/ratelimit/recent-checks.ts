import type { StepResult } from '../../core/evaluation.ts';

/** How long a check is known again, in milliseconds, and how many at the most. */
export const RECENT_MS = 10_000;
export const MAX_RECENT = 65_536;

interface Recent {
  readonly atMs: number;
  readonly result: StepResult;
}

/**
 * Answers of checks that were asked a moment ago, so that a check that Envoy retries takes once. Insertion order is age,
 * so the oldest entry is the first one.
 */
export class RecentChecks {
  readonly #entries = new Map<string, Recent>();

  find(key: string, nowMs: number): Recent | undefined {
    const recent = this.#entries.get(key);
    return recent !== undefined && nowMs - recent.atMs < RECENT_MS ? recent : undefined;
  }

  remember(key: string, result: StepResult, nowMs: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { atMs: nowMs, result });
    for (const [oldest, { atMs }] of this.#entries) {
      if (this.#entries.size <= MAX_RECENT && nowMs - atMs < RECENT_MS) break;
      this.#entries.delete(oldest);
    }
  }
}
