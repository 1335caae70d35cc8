import type { SlidingRate } from '../phases/ratelimit/counter-store.ts';
import type { Cell, Taken } from './cell.ts';
import { PAGE_ROWS, PARTS, SLOTS } from './counter-page.ts';

// A window in 16 parts, and one more for the part under way. What was counted in a part counts until the whole part is
// older than the window, so up to a sixteenth longer than it must: rounded against the caller, never for it.

export function level(cell: Cell, rate: SlidingRate): number {
  slide(cell, rate);
  return cell.level;
}

export function add(cell: Cell, rate: SlidingRate, cost: number): void {
  const { page, i } = cell;
  const part = slide(cell, rate);
  page.parts ??= new Uint32Array(PAGE_ROWS * SLOTS);
  const slot = slotOf(i, part);
  page.parts[slot] = (page.parts[slot] ?? 0) + cost;
  cell.level += cost;
  cell.idleAt(endMs(rate, part));
}

/** Milliseconds until parts with at least `units` no longer count. */
export function waitMs(cell: Cell, rate: SlidingRate, units: number): number {
  if (units <= 0) return 0;
  const part = slide(cell, rate);
  let ended = 0;
  for (let old = part - PARTS; old <= part; old += 1) {
    ended += cell.page.parts?.[slotOf(cell.i, old)] ?? 0;
    if (ended >= units) return endMs(rate, old) - cell.clock.nowMs;
  }
  return endMs(rate, part) - cell.clock.nowMs;
}

/** Nothing is left of a take whose part no longer counts; no part gives more than it holds. */
export function giveBack(cell: Cell, rate: SlidingRate, { cost, monotonicMs }: Taken): void {
  const { page, i } = cell;
  const part = slide(cell, rate);
  const takenPart = Math.floor(monotonicMs / (rate.windowMs / PARTS));
  if (page.parts === undefined || takenPart < part - PARTS) return;
  const slot = slotOf(i, takenPart);
  const given = Math.min(cost, page.parts[slot] ?? 0);
  page.parts[slot] = (page.parts[slot] ?? 0) - given;
  cell.level -= given;
}

/** Drops the parts that no longer count, and tells which part it is now. */
function slide(cell: Cell, { windowMs }: SlidingRate): number {
  const part = Math.floor(cell.clock.nowMs / (windowMs / PARTS));
  const newest = cell.time;
  if (newest === part) return part;
  cell.time = part;
  const { i } = cell;
  const { parts } = cell.page;
  if (parts === undefined) return part;
  if (part - newest >= SLOTS) {
    parts.fill(0, i * SLOTS, (i + 1) * SLOTS);
    cell.level = 0;
    return part;
  }
  for (let fresh = newest + 1; fresh <= part; fresh += 1) {
    const slot = slotOf(i, fresh);
    cell.level -= parts[slot] ?? 0;
    parts[slot] = 0;
  }
  return part;
}

const slotOf = (i: number, part: number): number => i * SLOTS + (((part % SLOTS) + SLOTS) % SLOTS);
const endMs = ({ windowMs }: SlidingRate, part: number): number => ((part + SLOTS) * windowMs) / PARTS;
