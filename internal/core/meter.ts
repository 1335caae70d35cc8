/**
 * What the expressions of one check may still do, all of them together: one event loop serves every caller, so no
 * check may hold it long. Below zero every expression of the check is an error, whatever it gives.
 */
export interface Meter {
  /** Steps of some ten nanoseconds. */
  work: number;
  /** Rounds of macros. */
  iterations: number;
}

/** Some 20 ms of one core. A usual condition takes less than a hundred steps. */
export const MAX_WORK = 2_000_000;
export const MAX_ITERATIONS = 100_000;

/** Whether something is used up. */
export const isSpent = (meter: Meter): boolean => meter.work < 0 || meter.iterations < 0;
