import type { CounterState } from '../../phases/ratelimit/counter-store.ts';

type States = readonly CounterState[];

/** A power of two: places are found by a mask. */
const FIRST_PLACES = 64;

/** Asks of one owner that are not answered yet, in order: that is how they are answered. */
export class PendingAsks {
  #resolves: (((states: States) => void) | undefined)[] = new Array(FIRST_PLACES).fill(undefined);
  #rejects: (((why: Error) => void) | undefined)[] = new Array(FIRST_PLACES).fill(undefined);
  #lengths = new Uint16Array(FIRST_PLACES);
  /** Number of the oldest that is not answered, and of the next one that will be asked. */
  #first = 0;
  #next = 0;
  /** Those before it are given up: nobody waits for their answers any more. */
  #awaited = 0;

  get size(): number {
    return this.#next - this.#first;
  }

  get isAwaited(): boolean {
    return this.#awaited < this.#next;
  }

  /** @param length how many counters are asked */
  add(length: number): Promise<States> {
    if (this.size === this.#lengths.length) this.#grow();
    const place = this.#next & (this.#lengths.length - 1);
    this.#next += 1;
    this.#lengths[place] = length;
    return new Promise((resolve, reject) => {
      this.#resolves[place] = resolve;
      this.#rejects[place] = reject;
    });
  }

  /** The number that the next ask will have, below 2^32. */
  get nextId(): number {
    return this.#next >>> 0;
  }

  /** How many counters the oldest one asked, if it has this number. */
  lengthOf(id: number): number | undefined {
    return this.size > 0 && id === this.#first >>> 0
      ? this.#lengths[this.#first & (this.#lengths.length - 1)]
      : undefined;
  }

  /** Ends the oldest one. */
  settle(states: States | undefined, why: Error): void {
    const place = this.#first & (this.#lengths.length - 1);
    this.#first += 1;
    if (this.#awaited < this.#first) this.#awaited = this.#first;
    if (states === undefined) this.#rejects[place]?.(why);
    else this.#resolves[place]?.(states);
    this.#resolves[place] = undefined;
    this.#rejects[place] = undefined;
  }

  /** Lets nobody wait any longer; answers that come all the same are known and thrown away. */
  giveUp(why: Error): void {
    const mask = this.#lengths.length - 1;
    for (; this.#awaited < this.#next; this.#awaited += 1) {
      const place = this.#awaited & mask;
      this.#rejects[place]?.(why);
      this.#resolves[place] = undefined;
      this.#rejects[place] = undefined;
    }
  }

  /** No answer will come to any of them. */
  clear(why: Error): void {
    this.giveUp(why);
    this.#first = this.#next;
  }

  #grow(): void {
    const { length } = this.#lengths;
    const [resolves, rejects] = [this.#resolves, this.#rejects];
    const lengths = this.#lengths;
    this.#resolves = new Array(2 * length).fill(undefined);
    this.#rejects = new Array(2 * length).fill(undefined);
    this.#lengths = new Uint16Array(2 * length);
    for (let number = this.#first; number < this.#next; number += 1) {
      const [from, to] = [number & (length - 1), number & (2 * length - 1)];
      this.#resolves[to] = resolves[from];
      this.#rejects[to] = rejects[from];
      this.#lengths[to] = lengths[from] ?? 0;
    }
  }
}
