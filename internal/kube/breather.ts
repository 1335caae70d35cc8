import type { Clock } from '../core/clock.ts';

/** Longest stretch of work between two turns of the event loop: checks are answered in between. */
export const SLICE_MS = 4;

/** Gives the event loop a turn when a slice of work is used up; undefined means go on. */
export function breather(clock: Clock): () => Promise<void> | undefined {
  let startMs = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - startMs < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        startMs = clock.monotonicMs();
        resolve();
      });
    });
  };
}
