import type { CounterState, CounterStore, Moment, Rate, Take } from '../phases/ratelimit/counter-store.ts';
import { Cell, ROUNDING } from './cell.ts';
import { CounterRows, type CounterRowsOptions } from './counter-rows.ts';
import * as edge from './edge-window.ts';
import * as gcra from './gcra.ts';
import { CALM, NEAR } from './recency-lists.ts';
import * as sliding from './sliding-window.ts';
import { StoreClock } from './store-clock.ts';

/**
 * Counters in memory, exact for one process: a call runs to its end before the next one begins. No timers; memory is
 * bounded by `maxKeys` and given to rows as they come.
 */
export class MemoryStore implements CounterStore {
  readonly #clock = new StoreClock();
  readonly #rows: CounterRows;
  readonly #cell = new Cell(this.#clock);
  /** Rows of the takes of the call that runs; -1 for a key without one. */
  readonly #found: number[] = [];

  constructor(options: CounterRowsOptions) {
    this.#rows = new CounterRows(options, this.#clock);
  }

  /** Keys that have a counter. */
  get size(): number {
    return this.#rows.size;
  }

  take(takes: readonly Take[], moment: Moment): readonly CounterState[] {
    this.#clock.advance(moment);
    const { length } = takes;
    const states = new Array<CounterState>(length);
    const fits = this.#fits(takes);
    const { additions } = this.#rows;
    for (let k = 0; k < length; k += 1) {
      const take = takes[k];
      if (take === undefined) continue;
      // Rows that were found before a new key came may be another key's by now.
      let row = this.#rows.additions === additions ? (this.#found[k] ?? -1) : this.#rows.find(take.key);
      if (fits && take.cost > 0) row = this.#commit(row, take);
      states[k] = this.#state(row, take, fits);
    }
    return states;
  }

  giveBack(takes: readonly Take[], taken: Moment): void {
    this.#clock.advance(taken);
    for (const { key, rate, cost } of takes) {
      const row = this.#rows.find(key);
      if (row === -1) continue;
      const cell = this.#at(row);
      const given = { cost, monotonicMs: taken.monotonicMs, wallMs: taken.wallMs };
      if (rate.algorithm === 'GCRA') gcra.giveBack(cell, rate, given);
      else if (rate.algorithm === 'SlidingWindow') sliding.giveBack(cell, rate, given);
      else edge.giveBack(cell, rate, given);
    }
  }

  #fits(takes: readonly Take[]): boolean {
    let fits = true;
    for (let k = 0; k < takes.length; k += 1) {
      const take = takes[k];
      if (take === undefined) continue;
      const row = this.#rows.find(take.key);
      this.#found[k] = row;
      if (fitsIn(levelOf(this.#at(row), take.rate), take)) continue;
      fits = false;
      if (row !== -1) this.#rows.refused(row);
    }
    return fits;
  }

  #commit(found: number, { key, rate, cost, namespace }: Take): number {
    const row = found === -1 ? this.#rows.add(key, namespace) : found;
    const cell = this.#at(row);
    const level = levelOf(cell, rate);
    if (rate.algorithm === 'GCRA') gcra.add(cell, rate, cost);
    else if (rate.algorithm === 'SlidingWindow') sliding.add(cell, rate, cost);
    else edge.add(cell, rate, cost);
    this.#rows.keep(row, (level + cost) * 2 < capacityOf(rate) ? CALM : NEAR, level === 0);
    return row;
  }

  /** What a counter says once the call has taken, or has not. */
  #state(row: number, take: Take, isTaken: boolean): CounterState {
    const { rate, cost } = take;
    const cell = this.#at(row);
    const level = levelOf(cell, rate);
    const capacity = capacityOf(rate);
    const remaining = Math.max(0, Math.floor(capacity - level + ROUNDING));
    const isWithin = isTaken || fitsIn(level, take);
    // Until one more fits; or, where the cost did not fit, until it does.
    const units = isWithin ? Math.min(level, level + remaining + 1 - capacity) : level + cost - capacity;
    return { isWithin, remaining, waitMs: waitMsOf(cell, rate, units) };
  }

  #at(row: number): Cell {
    return row === -1 ? this.#cell.atNothing() : this.#cell.at(this.#rows.pageOf(row), row);
  }
}

/** Most that may count at once. */
const capacityOf = (rate: Rate): number => (rate.algorithm === 'GCRA' ? rate.burst : rate.requests);

const fitsIn = (level: number, { rate, cost }: Take): boolean => level + cost <= capacityOf(rate) + ROUNDING;

function levelOf(cell: Cell, rate: Rate): number {
  if (rate.algorithm === 'GCRA') return gcra.level(cell, rate);
  return rate.algorithm === 'SlidingWindow' ? sliding.level(cell, rate) : edge.level(cell, rate);
}

function waitMsOf(cell: Cell, rate: Rate, units: number): number {
  if (rate.algorithm === 'GCRA') return gcra.waitMs(cell, rate, units);
  return rate.algorithm === 'SlidingWindow' ? sliding.waitMs(cell, rate, units) : edge.waitMs(cell, rate, units);
}
