import type { GcraRate } from '../phases/ratelimit/counter-store.ts';
import { type Cell, ROUNDING, type Taken } from './cell.ts';
import { PAGE_ROWS } from './counter-page.ts';

// GCRA as the bucket it is equal to: each take fills it by its cost, it drains by `requests` in `windowMs`, and holds
// `burst`. So at most burst + requests·t/window pass in any time t. The level is kept, not an arrival time: adding
// whole numbers to it is exact, however long the process runs and however small the time of one request is.

/** What is in the bucket now. */
export function level(cell: Cell, { requests, windowMs }: GcraRate): number {
  const drained = ((cell.clock.nowMs - cell.time) * requests) / windowMs;
  return Math.max(0, cell.level - drained);
}

export function add(cell: Cell, rate: GcraRate, cost: number): void {
  set(cell, rate, level(cell, rate) + cost);
}

/** Milliseconds until `units` have drained. */
export function waitMs(_cell: Cell, { requests, windowMs }: GcraRate, units: number): number {
  return units <= ROUNDING ? 0 : (units * windowMs) / requests;
}

/**
 * Takes out what can still be in the bucket of a take. While it was in, the bucket drained, and all of that draining may
 * have been its own; giving back more would make room that time already made, and slow refusals would buy requests.
 * Where takes overlap, the same time is held against one of them only.
 */
export function giveBack(cell: Cell, rate: GcraRate, { cost, monotonicMs: takenMs }: Taken): void {
  const left = level(cell, rate);
  if (left === 0) return;
  const { page, i, clock } = cell;
  page.chargedFromMs ??= new Float64Array(PAGE_ROWS);
  page.chargedToMs ??= new Float64Array(PAGE_ROWS).fill(Number.NEGATIVE_INFINITY);
  const fromMs = page.chargedFromMs[i] ?? 0;
  const toMs = page.chargedToMs[i] ?? 0;
  const overlaps = toMs >= takenMs;
  const freeMs = overlaps ? Math.max(0, fromMs - takenMs) + clock.nowMs - toMs : clock.nowMs - takenMs;
  const drained = (freeMs * rate.requests) / rate.windowMs;
  if (drained >= cost) return;
  page.chargedFromMs[i] = overlaps ? Math.min(fromMs, takenMs) : takenMs;
  page.chargedToMs[i] = clock.nowMs;
  set(cell, rate, Math.max(0, left - cost + drained));
}

function set(cell: Cell, { requests, windowMs }: GcraRate, to: number): void {
  const { nowMs } = cell.clock;
  cell.level = to;
  cell.time = nowMs;
  cell.idleAt(nowMs + (to * windowMs) / requests);
}
