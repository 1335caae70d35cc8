/** Rows of one page. Pages are added whole, so growing never copies what is there. */
export const PAGE_ROWS = 8192;
export const PAGE_BITS = 13;

/** Parts of a sliding window, and one more for the part that is under way. */
export const PARTS = 16;
export const SLOTS = PARTS + 1;

/** Columns of the counters of 8,192 keys; what a column means is the algorithm's business. */
export class CounterPage {
  readonly keys: (string | undefined)[] = new Array<string | undefined>(PAGE_ROWS).fill(undefined);
  /** Units of cost that count now. */
  readonly level = new Float64Array(PAGE_ROWS);
  /** GCRA: when `level` was worked out. Windows: which window, or which part of one, is the newest. */
  readonly time = new Float64Array(PAGE_ROWS);
  /** From when on the row counts nothing: monotonic, for calendars wall time. */
  readonly idleAtMs = new Float64Array(PAGE_ROWS);
  readonly isCalendar = new Uint8Array(PAGE_ROWS);
  /** Counts of the parts of sliding windows; made for the first one in the page. */
  parts: Uint32Array | undefined = undefined;
  /** GCRA: begin and end of the time whose draining was held against what was given back; made for the first one. */
  chargedFromMs: Float64Array | undefined = undefined;
  chargedToMs: Float64Array | undefined = undefined;

  /** Makes a row as new; `time` lies before every moment. */
  reset(i: number, key: string | undefined): void {
    this.keys[i] = key;
    this.level[i] = 0;
    this.time[i] = Number.NEGATIVE_INFINITY;
    this.idleAtMs[i] = Number.NEGATIVE_INFINITY;
    this.isCalendar[i] = 0;
    this.parts?.fill(0, i * SLOTS, (i + 1) * SLOTS);
    if (this.chargedFromMs !== undefined) this.chargedFromMs[i] = 0;
    if (this.chargedToMs !== undefined) this.chargedToMs[i] = Number.NEGATIVE_INFINITY;
  }
}
