import type { Clock } from './clock.ts';

/** Longest stretch of work between two breaths, in milliseconds: checks are answered in between. */
const SLICE_MS = 4;

/** Awaited between pieces of work that is done beside checks; undefined means go on. */
export type Breathe = () => Promise<void> | undefined;

/** Gives the event loop a turn whenever a slice of work is used up. */
export function breather(clock: Clock): Breathe {
  let sliceStartMs = clock.monotonicMs();
  return () => {
    if (clock.monotonicMs() - sliceStartMs < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      setImmediate(() => {
        sliceStartMs = clock.monotonicMs();
        resolve();
      });
    });
  };
}
