/** How long a group measures: tests of the tool itself give less than the figures do. */
export interface Lengths {
  /** Interleaved runs. */
  readonly pairs: number;
  /** Of each run. */
  readonly seconds: number;
}

/** Medians of five interleaved runs. */
export const FULL: Lengths = Object.freeze({ pairs: 5, seconds: 10 });
