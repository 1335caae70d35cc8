import type { EdgeRate } from '../phases/ratelimit/counter-store.ts';
import type { Cell, Taken } from './cell.ts';
import type { StoreClock } from './store-clock.ts';

// Windows from edge to edge: of a length, counted from the start of the process, or of the calendar. `time` tells which
// window the level belongs to: its number, or the epoch milliseconds of its first edge.

export function level(cell: Cell, rate: EdgeRate): number {
  const { nowMs, wallMs } = cell.clock;
  // A calendar window that has not begun yet: the wall clock was set back. What was counted goes on counting.
  return cell.time >= windowAt(rate, nowMs, wallMs) ? cell.level : 0;
}

export function add(cell: Cell, rate: EdgeRate, cost: number): void {
  const { clock } = cell;
  cell.level = level(cell, rate) + cost;
  cell.time = windowAt(rate, clock.nowMs, clock.wallMs);
  if (rate.algorithm === 'Calendar') cell.idleAtWall(rate.calendar(clock.wallMs).endMs);
  else cell.idleAt(clock.nowMs + endsInMs(rate, clock));
}

/** Milliseconds until the window ends, and with it whatever counts. */
export function waitMs({ clock }: Cell, rate: EdgeRate, units: number): number {
  return units <= 0 ? 0 : endsInMs(rate, clock);
}

/** Nothing is left of a take of another window. */
export function giveBack(cell: Cell, rate: EdgeRate, { cost, monotonicMs, wallMs }: Taken): void {
  if (cell.time !== windowAt(rate, monotonicMs, wallMs)) return;
  cell.level = Math.max(0, cell.level - cost);
}

function windowAt(rate: EdgeRate, monotonicMs: number, wallMs: number): number {
  return rate.algorithm === 'Calendar' ? rate.calendar(wallMs).startMs : Math.floor(monotonicMs / rate.windowMs);
}

function endsInMs(rate: EdgeRate, { nowMs, wallMs }: StoreClock): number {
  if (rate.algorithm === 'Calendar') return Math.max(0, rate.calendar(wallMs).endMs - wallMs);
  return (Math.floor(nowMs / rate.windowMs) + 1) * rate.windowMs - nowMs;
}
