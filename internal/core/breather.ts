import type { Clock } from './clock.ts';

/** Longest stretch of work between two turns of the event loop: checks are answered in between. */
export const SLICE_MS = 4;

/** Awaited between pieces of work that is done beside checks; undefined means go on. */
export type Breathe = () => Promise<void> | undefined;

/** Gives the event loop a turn when a slice of work is used up. */
export function breather(clock: Clock): Breathe {
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

/** Work in steps, each short; it gives what they come to. */
export type Steps<T> = Generator<undefined, T>;

/** Runs steps of work to their end, with a turn of the event loop whenever `breathe` asks for one. */
export async function inSlices<T>(steps: Steps<T>, breathe: Breathe): Promise<T> {
  let step = steps.next();
  while (step.done !== true) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    step = steps.next();
  }
  return step.value;
}

/** Runs them in one go. */
export function inOneGo<T>(steps: Steps<T>): T {
  let step = steps.next();
  while (step.done !== true) step = steps.next();
  return step.value;
}
