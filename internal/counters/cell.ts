import { CounterPage, PAGE_ROWS } from './counter-page.ts';
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
    NO_ROWS.reset(0, undefined);
    return this.at(NO_ROWS, 0);
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
