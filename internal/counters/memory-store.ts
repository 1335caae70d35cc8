import type { CounterState, CounterStore, Moment, Rate, Take } from '../phases/ratelimit/counter-store.ts';

export interface MemoryStoreOptions {
  /** Most counters kept; beyond it the least used of a sample goes. */
  readonly maxKeys: number;
  /** Told of every counter that went while it still counted. */
  readonly onEvict: () => void;
}

/** Parts of a sliding window; what lies in a part that began before the window counts in full, against the caller. */
const PARTS = 16;
const SLOTS = PARTS + 1;
const FIRST_CAPACITY = 1024;
const SAMPLE = 16;
/** Looked at with every new counter, so that idle ones go without a timer. */
const SWEEP = 2;
const ROUNDING_MS = 1e-6;

/**
 * Counters in memory: one row of typed arrays for each key. GCRA keeps the theoretical arrival time, fixed windows
 * their start and count, sliding windows a count for each part.
 */
export class MemoryStore implements CounterStore {
  readonly #options: MemoryStoreOptions;
  readonly #rows = new Map<string, number>();
  #keys: (string | undefined)[] = [];
  /** GCRA: arrival time. Windows: start of the window, or of the newest part, divided by its length. */
  #time = new Float64Array(FIRST_CAPACITY);
  /** Fixed windows and calendars: the count. */
  #count = new Float64Array(FIRST_CAPACITY);
  #parts = new Uint32Array(FIRST_CAPACITY * SLOTS);
  /** Clock time from which the row counts nothing any more; calendars use wall time, so theirs is an estimate. */
  #idleAt = new Float64Array(FIRST_CAPACITY);
  readonly #free: number[] = [];
  #used = 0;
  #hand = 0;

  constructor(options: MemoryStoreOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#rows.size;
  }

  take(takes: readonly Take[], moment: Moment): readonly CounterState[] {
    const states = takes.map((take) => this.#state(take, moment));
    if (states.some((state) => !state.isWithin)) return states;
    for (const take of takes) this.#commit(take, moment, take.cost);
    return states;
  }

  giveBack(takes: readonly Take[], moment: Moment): void {
    for (const take of takes) if (this.#rows.has(take.key)) this.#commit(take, moment, -take.cost);
  }

  /** What the counter would say after the take; changes nothing. */
  #state({ key, rate, cost }: Take, moment: Moment): CounterState {
    const row = this.#rows.get(key);
    switch (rate.algorithm) {
      case 'GCRA':
        return gcraState(rate, {
          arrivalMs: row === undefined ? -Infinity : (this.#time[row] ?? 0),
          cost,
          nowMs: moment.monotonicMs,
        });
      case 'SlidingWindow':
        return this.#slidingState(rate, { row, cost, nowMs: moment.monotonicMs });
      default: {
        const { start, endsInMs } = windowOf(rate, moment);
        const count = row !== undefined && this.#time[row] === start ? (this.#count[row] ?? 0) : 0;
        return countState({ count, cost, requests: rate.requests, waitMs: endsInMs });
      }
    }
  }

  #slidingState(
    rate: Extract<Rate, { algorithm: 'SlidingWindow' }>,
    { row, cost, nowMs }: { row: number | undefined; cost: number; nowMs: number },
  ): CounterState {
    const partMs = rate.windowMs / PARTS;
    const part = Math.floor(nowMs / partMs);
    let count = 0;
    let oldest = part + 1;
    if (row !== undefined) {
      const newest = this.#time[row] ?? 0;
      for (let i = Math.max(part - PARTS, newest - PARTS); i <= newest; i += 1) {
        const held = this.#parts[row * SLOTS + slotOf(i)] ?? 0;
        if (held === 0) continue;
        count += held;
        oldest = Math.min(oldest, i);
      }
    }
    return countState({ count, cost, requests: rate.requests, waitMs: (oldest + SLOTS) * partMs - nowMs });
  }

  #commit(take: Take, moment: Moment, cost: number): void {
    const row = this.#rowOf(take.key, moment.monotonicMs);
    const { rate } = take;
    const nowMs = moment.monotonicMs;
    if (rate.algorithm === 'GCRA') {
      const arrivalMs = Math.max(nowMs, this.#time[row] ?? 0) + (cost * rate.windowMs) / rate.requests;
      this.#time[row] = arrivalMs;
      this.#idleAt[row] = arrivalMs;
      return;
    }
    if (rate.algorithm === 'SlidingWindow') {
      this.#commitSliding(row, rate, { nowMs, cost });
      return;
    }
    const { start, endsInMs } = windowOf(rate, moment);
    const count = this.#time[row] === start ? (this.#count[row] ?? 0) : 0;
    this.#time[row] = start;
    this.#count[row] = Math.max(0, count + cost);
    this.#idleAt[row] = nowMs + endsInMs;
  }

  #commitSliding(
    row: number,
    rate: Extract<Rate, { algorithm: 'SlidingWindow' }>,
    { nowMs, cost }: { nowMs: number; cost: number },
  ): void {
    const partMs = rate.windowMs / PARTS;
    const part = Math.floor(nowMs / partMs);
    const newest = this.#time[row] ?? -Infinity;
    for (let i = Math.max(newest + 1, part - PARTS); i <= part; i += 1) this.#parts[row * SLOTS + slotOf(i)] = 0;
    const at = row * SLOTS + slotOf(part);
    this.#parts[at] = Math.max(0, (this.#parts[at] ?? 0) + cost);
    this.#time[row] = Math.max(newest, part);
    this.#idleAt[row] = (part + SLOTS) * partMs;
  }

  #rowOf(key: string, nowMs: number): number {
    const known = this.#rows.get(key);
    if (known !== undefined) return known;
    for (let i = 0; i < SWEEP; i += 1) this.#sweepOne(nowMs);
    if (this.#rows.size >= this.#options.maxKeys) this.#evict(nowMs);
    const row = this.#free.pop() ?? this.#used++;
    if (row >= this.#time.length) this.#grow();
    this.#rows.set(key, row);
    this.#keys[row] = key;
    this.#time[row] = -Infinity;
    this.#count[row] = 0;
    this.#parts.fill(0, row * SLOTS, (row + 1) * SLOTS);
    return row;
  }

  #sweepOne(nowMs: number): void {
    if (this.#used === 0) return;
    this.#hand = (this.#hand + 1) % this.#used;
    if (this.#keys[this.#hand] !== undefined && (this.#idleAt[this.#hand] ?? 0) <= nowMs) this.#remove(this.#hand);
  }

  /** Of a sample, the row that is done counting soonest goes: an idle one before one that is under a limit's pressure. */
  #evict(nowMs: number): void {
    let victim: number | undefined;
    for (let i = 0; i < SAMPLE; i += 1) {
      this.#hand = (this.#hand + 1) % this.#used;
      if (this.#keys[this.#hand] === undefined) continue;
      if (victim === undefined || (this.#idleAt[this.#hand] ?? 0) < (this.#idleAt[victim] ?? 0)) victim = this.#hand;
    }
    if (victim === undefined) return;
    if ((this.#idleAt[victim] ?? 0) > nowMs) this.#options.onEvict();
    this.#remove(victim);
  }

  #remove(row: number): void {
    const key = this.#keys[row];
    if (key === undefined) return;
    this.#rows.delete(key);
    this.#keys[row] = undefined;
    this.#free.push(row);
  }

  #grow(): void {
    const capacity = this.#time.length * 2;
    this.#time = grown(this.#time, new Float64Array(capacity));
    this.#count = grown(this.#count, new Float64Array(capacity));
    this.#idleAt = grown(this.#idleAt, new Float64Array(capacity));
    this.#parts = grown(this.#parts, new Uint32Array(capacity * SLOTS));
  }
}

function grown<T extends Float64Array | Uint32Array>(from: T, to: T): T {
  to.set(from);
  return to;
}

const slotOf = (part: number): number => ((part % SLOTS) + SLOTS) % SLOTS;

interface Arrival {
  readonly arrivalMs: number;
  readonly cost: number;
  readonly nowMs: number;
}

/** GCRA: at most `burst` at one instant, and `requests` more for each window that passes. */
function gcraState(
  { requests, windowMs, burst }: Extract<Rate, { algorithm: 'GCRA' }>,
  { arrivalMs, cost, nowMs }: Arrival,
): CounterState {
  const perRequestMs = windowMs / requests;
  const allowanceMs = burst * perRequestMs;
  const ahead = Math.max(nowMs, arrivalMs) + cost * perRequestMs - nowMs;
  const isWithin = ahead <= allowanceMs + ROUNDING_MS;
  const settled = isWithin ? ahead : Math.max(0, arrivalMs - nowMs);
  const remaining = Math.max(0, Math.floor((allowanceMs - settled + ROUNDING_MS) / perRequestMs));
  if (!isWithin) return { isWithin, remaining, waitMs: ahead - allowanceMs };
  return { isWithin, remaining, waitMs: settled % perRequestMs || perRequestMs };
}

interface Counted {
  readonly count: number;
  readonly cost: number;
  readonly requests: number;
  readonly waitMs: number;
}

function countState({ count, cost, requests, waitMs }: Counted): CounterState {
  const isWithin = count + cost <= requests;
  return { isWithin, remaining: Math.max(0, requests - count - (isWithin ? cost : 0)), waitMs: Math.max(0, waitMs) };
}

function windowOf(
  rate: Extract<Rate, { algorithm: 'FixedWindow' | 'Calendar' }>,
  { monotonicMs, wallMs }: Moment,
): { start: number; endsInMs: number } {
  if (rate.algorithm === 'Calendar') {
    const { startMs, endMs } = rate.calendar(wallMs);
    return { start: startMs, endsInMs: endMs - wallMs };
  }
  const start = Math.floor(monotonicMs / rate.windowMs);
  return { start, endsInMs: (start + 1) * rate.windowMs - monotonicMs };
}
