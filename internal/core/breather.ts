import type { Clock } from './clock.ts';

/** Longest stretch of work between two turns of the event loop: checks are answered in between. */
export const SLICE_MS = 0.5;

/** Awaited between pieces of work that is done beside checks; undefined means go on. */
export type Breathe = () => Promise<void> | undefined;

/** Whose turn it is: one worker for each turn of the event loop, in the order in which they asked. */
class Turns {
  readonly #clock: Clock;
  readonly #waiting: (() => void)[] = [];
  #startMs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#startMs = clock.monotonicMs();
  }

  readonly breathe: Breathe = () => {
    if (this.#clock.monotonicMs() - this.#startMs < SLICE_MS) return undefined;
    return new Promise((resolve) => {
      this.#waiting.push(resolve);
      if (this.#waiting.length === 1) setImmediate(this.#next);
    });
  };

  readonly #next = (): void => {
    this.#startMs = this.#clock.monotonicMs();
    this.#waiting.shift()?.();
    if (this.#waiting.length > 0) setImmediate(this.#next);
  };
}

const turns = new WeakMap<Clock, Turns>();

/**
 * Gives the event loop a turn when a slice of work is used up. Whoever goes by one clock shares its turns: watches that
 * are read, a snapshot that is built and statuses that are compared keep a check waiting for one slice, not for one each.
 */
export function breather(clock: Clock): Breathe {
  let shared = turns.get(clock);
  if (shared === undefined) {
    shared = new Turns(clock);
    turns.set(clock, shared);
  }
  return shared.breathe;
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
