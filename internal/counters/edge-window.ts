import type { EdgeRate } from '../phases/ratelimit/counter-store.ts';
import type { Cell, Taken } from './cell.ts';
import type { StoreClock } from './store-clock.ts';

// Windows from edge to edge: of a length, counted from the start of the process, or of the calendar. `time` tells which
// window the level belongs to: its number, or the epoch milliseconds of its first edge.

export function level({ page, i, clock }: Cell, rate: EdgeRate): number {
  const window = page.time[i] ?? 0;
  // A calendar window that has not begun yet: the wall clock was set back. What was counted goes on counting.
  return window >= windowAt(rate, clock.nowMs, clock.wallMs) ? (page.level[i] ?? 0) : 0;
}

export function add(cell: Cell, rate: EdgeRate, cost: number): void {
  const { page, i, clock } = cell;
  page.level[i] = level(cell, rate) + cost;
  page.time[i] = windowAt(rate, clock.nowMs, clock.wallMs);
  if (rate.algorithm === 'Calendar') {
    page.isCalendar[i] = 1;
    page.idleAtMs[i] = rate.calendar(clock.wallMs).endMs;
  } else {
    page.idleAtMs[i] = clock.nowMs + endsInMs(rate, clock);
  }
}

/** Milliseconds until the window ends, and with it whatever counts. */
export function waitMs({ clock }: Cell, rate: EdgeRate, units: number): number {
  return units <= 0 ? 0 : endsInMs(rate, clock);
}

/** Nothing is left of a take of another window. */
export function giveBack({ page, i }: Cell, rate: EdgeRate, { cost, monotonicMs, wallMs }: Taken): void {
  if (page.time[i] !== windowAt(rate, monotonicMs, wallMs)) return;
  page.level[i] = Math.max(0, (page.level[i] ?? 0) - cost);
}

function windowAt(rate: EdgeRate, monotonicMs: number, wallMs: number): number {
  return rate.algorithm === 'Calendar' ? rate.calendar(wallMs).startMs : Math.floor(monotonicMs / rate.windowMs);
}

function endsInMs(rate: EdgeRate, { nowMs, wallMs }: StoreClock): number {
  if (rate.algorithm === 'Calendar') return Math.max(0, rate.calendar(wallMs).endMs - wallMs);
  return (Math.floor(nowMs / rate.windowMs) + 1) * rate.windowMs - nowMs;
}
