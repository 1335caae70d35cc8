import { KEY_BYTES, writeKey } from './key-bytes.ts';

/** Rows of one page. Pages are added whole, so growing never copies what is there. */
export const PAGE_ROWS = 8192;
export const PAGE_BITS = 13;

/** Parts of a sliding window, and one more for the part that is under way. */
export const PARTS = 16;
export const SLOTS = PARTS + 1;

/** Numbers of a row, side by side: one line of the processor's cache holds all of them. */
export const NUMBERS = 4;
/** Units of cost that count now. */
export const LEVEL = 0;
/** GCRA: when the level was worked out. Windows: which window, or which part of one, is the newest. */
export const TIME = 1;
/** From when on the row counts nothing: monotonic, for calendars wall time. */
export const IDLE_AT_MS = 2;
/** 1 for a calendar's row, else 0. */
export const IS_CALENDAR = 3;

/** The counters of 8,192 keys; what a number means is the algorithm's business. */
export class CounterPage {
  readonly keys = new Uint8Array(PAGE_ROWS * KEY_BYTES);
  readonly numbers = new Float64Array(PAGE_ROWS * NUMBERS);
  /** Counts of the parts of sliding windows; made for the first one in the page. */
  parts: Uint32Array | undefined = undefined;
  /** GCRA: begin and end of the time whose draining was held against what was given back; made for the first one. */
  chargedFromMs: Float64Array | undefined = undefined;
  chargedToMs: Float64Array | undefined = undefined;

  /** Makes a row as new; its time lies before every moment. */
  reset(i: number, key: string): void {
    writeKey(this.keys, i * KEY_BYTES, key);
    const at = i * NUMBERS;
    this.numbers[at + LEVEL] = 0;
    this.numbers[at + TIME] = Number.NEGATIVE_INFINITY;
    this.numbers[at + IDLE_AT_MS] = Number.NEGATIVE_INFINITY;
    this.numbers[at + IS_CALENDAR] = 0;
    this.parts?.fill(0, i * SLOTS, (i + 1) * SLOTS);
    if (this.chargedFromMs !== undefined) this.chargedFromMs[i] = 0;
    if (this.chargedToMs !== undefined) this.chargedToMs[i] = Number.NEGATIVE_INFINITY;
  }
}
