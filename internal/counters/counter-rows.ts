import { randomInt } from 'node:crypto';
import { CounterPage, IDLE_AT_MS, IS_CALENDAR, NUMBERS, PAGE_BITS, PAGE_ROWS } from './counter-page.ts';
import { ExpiryHeap } from './expiry-heap.ts';
import { KeyIndex, type WrittenKeys } from './key-index.ts';
import { KeyOwners } from './key-owners.ts';
import { CALM, NEAR, type Pressure, REFUSED, RecencyLists } from './recency-lists.ts';
import type { StoreClock } from './store-clock.ts';

export interface CounterRowsOptions {
  /** Most rows kept. */
  readonly maxKeys: number;
  /** Told of every row that went while it still counted. */
  readonly onEvict: () => void;
  /** Secret that the places of keys depend on, below 2^32. */
  readonly seed?: number;
}

/** Rows looked at with every new key, so that idle ones go without a timer; more of them when there is no room. */
const SWEEP = 4;
const SWEEP_FULL = 64;
/** Before an offender goes, this many rows are looked at for one that is idle. */
const SWEEP_OFFENDER = 1024;
/** An idle row stays so long while there is room: keys that come again in turn need not be made anew each time. */
const LINGER_MS = 1000;
const SEEDS = 0x1_0000_0000;

/**
 * Rows of counters by key, at most `maxKeys`. When there is no room, idle rows go first; then a row of the namespace
 * that is furthest over its share, so that whoever floods keys pushes out its own. Of its rows those far from refusing go
 * first, then those near it, and those that refuse last; within each the longest untouched. So neither a flood of new
 * keys nor keys with long windows push out an offender.
 */
export class CounterRows implements WrittenKeys {
  readonly #options: CounterRowsOptions;
  readonly #clock: StoreClock;
  readonly #index: KeyIndex;
  readonly #pages: CounterPage[] = [];
  readonly #heap = new ExpiryHeap();
  readonly #recency = new RecencyLists();
  readonly #owners = new KeyOwners();
  readonly #free: number[] = [];
  #used = 0;
  /** Grows with every row that is added: rows found before may be another key's since. */
  additions = 0;

  constructor(options: CounterRowsOptions, clock: StoreClock) {
    this.#options = options;
    this.#index = new KeyIndex(this, options.seed ?? randomInt(SEEDS));
    this.#clock = clock;
  }

  get size(): number {
    return this.#index.size;
  }

  /** @returns -1 for a key without a row */
  find(key: string): number {
    return this.#index.find(key);
  }

  bytesOf(row: number): Uint8Array {
    return this.pageOf(row).keys;
  }

  placeOf(row: number): number {
    return row % PAGE_ROWS;
  }

  pageOf(row: number): CounterPage {
    const page = this.#pages[row >>> PAGE_BITS];
    if (page === undefined) throw new RangeError(`No row ${row}`);
    return page;
  }

  /** @param owner the namespace whose share it counts against */
  add(key: string, owner: string): number {
    this.additions += 1;
    if (this.size >= this.#options.maxKeys) this.#makeRoom(owner);
    else this.#sweep(SWEEP, this.#clock.nowMs - LINGER_MS);
    const row = this.#free.at(-1) ?? this.#used;
    if (row >>> PAGE_BITS === this.#pages.length) this.#pages.push(new CounterPage());
    this.pageOf(row).reset(row % PAGE_ROWS, key);
    if (row === this.#used) this.#used += 1;
    else this.#free.pop();
    this.#index.add(row);
    this.#recency.add(row, this.#owners.add(owner));
    return row;
  }

  /**
   * Says that a row counts until its `idleAtMs`, and how near it is to refusing. Who refused stays an offender until the
   * row was idle: a pause of one request must not make it anyone's prey.
   */
  keep(row: number, pressure: Pressure, wasIdle: boolean): void {
    this.#heap.put(row, this.#idleAtMs(row));
    this.#recency.touch(row, !wasIdle && this.#recency.pressureOf(row) === REFUSED ? REFUSED : pressure);
  }

  /** Says that a row refused. */
  refused(row: number): void {
    this.#recency.touch(row, REFUSED);
  }

  #makeRoom(comer: string): void {
    this.#sweep(SWEEP_FULL);
    if (this.size < this.#options.maxKeys) return;
    let owner = this.#owners.furthestOver(this.#owners.find(comer));
    let victim = this.#recency.oldest(owner, CALM);
    if (victim === -1) victim = this.#recency.oldest(owner, NEAR);
    if (victim === -1) {
      this.#sweep(SWEEP_OFFENDER);
      if (this.size < this.#options.maxKeys) return;
      owner = this.#owners.furthestOver(this.#owners.find(comer));
      victim = this.#recency.oldest(owner, REFUSED);
    }
    if (victim === -1) return;
    if (this.#idleAtMs(victim) > this.#clock.nowMs) this.#options.onEvict();
    this.#remove(victim);
  }

  /** Removes rows that are idle since then; each step either removes one or learns when one is due. */
  #sweep(steps: number, sinceMs = this.#clock.nowMs): void {
    for (let i = 0; i < steps && this.#heap.topDueMs <= sinceMs; i += 1) {
      const row = this.#heap.top;
      const idleAtMs = this.#idleAtMs(row);
      if (idleAtMs <= sinceMs) this.#remove(row);
      else this.#heap.postpone(idleAtMs);
    }
  }

  /** Monotonic time from which the row counts nothing; a calendar's moves when the wall clock is set. */
  #idleAtMs(row: number): number {
    const { numbers } = this.pageOf(row);
    const at = (row % PAGE_ROWS) * NUMBERS;
    const idleAtMs = numbers[at + IDLE_AT_MS] ?? 0;
    return numbers[at + IS_CALENDAR] === 0 ? idleAtMs : idleAtMs - this.#clock.wallMs + this.#clock.nowMs;
  }

  #remove(row: number): void {
    this.#index.remove(row);
    this.#heap.remove(row);
    this.#owners.remove(this.#recency.ownerOf(row));
    this.#recency.remove(row);
    this.#free.push(row);
  }
}
