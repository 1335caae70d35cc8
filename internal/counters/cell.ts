import { CounterPage, IDLE_AT_MS, IS_CALENDAR, LEVEL, NUMBERS, PAGE_ROWS, TIME } from './counter-page.ts';
import type { StoreClock } from './store-clock.ts';

/**
 * One row of one page, with the moment it is looked at. Algorithms read and write counters through it; one cell is moved
 * from row to row, so that a take allocates nothing for it.
 */
export class Cell {
  readonly clock: StoreClock;
  page: CounterPage = NO_ROWS;
  i = 0;

  constructor(clock: StoreClock) {
    this.clock = clock;
  }

  at(page: CounterPage, row: number): this {
    this.page = page;
    this.i = row % PAGE_ROWS;
    return this;
  }

  /** Stands for a key without a row: nothing counts. */
  atNothing(): this {
    NO_ROWS.reset(0, '');
    return this.at(NO_ROWS, 0);
  }

  get level(): number {
    return this.page.numbers[this.i * NUMBERS + LEVEL] ?? 0;
  }

  set level(units: number) {
    this.page.numbers[this.i * NUMBERS + LEVEL] = units;
  }

  get time(): number {
    return this.page.numbers[this.i * NUMBERS + TIME] ?? 0;
  }

  set time(time: number) {
    this.page.numbers[this.i * NUMBERS + TIME] = time;
  }

  /** Counts until then: monotonic milliseconds. */
  idleAt(ms: number): void {
    this.page.numbers[this.i * NUMBERS + IDLE_AT_MS] = ms;
  }

  /** The same by the wall clock. */
  idleAtWall(ms: number): void {
    this.idleAt(ms);
    this.page.numbers[this.i * NUMBERS + IS_CALENDAR] = 1;
  }
}

const NO_ROWS = new CounterPage();

/** What was taken, by a check that began at these moments; the take itself was then or later. */
export interface Taken {
  readonly cost: number;
  readonly monotonicMs: number;
  readonly wallMs: number;
}

/** More than arithmetic on fractions of a unit is wrong by, and far less than a unit. */
export const ROUNDING = 1e-6;
