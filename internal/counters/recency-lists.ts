const FIRST_CAPACITY = 1024;
const NONE = -1;
/** A row that moved to the end of its list stays where it is for this many additions. */
const ADDITIONS_PER_AGE = 4096;
/** Ages are told apart up to here; one that is so much older is moved once more or less, which harms nobody. */
const AGES = 0xffff;

/** How near a counter is to refusing; who is nearer is evicted later. */
export const CALM = 0;
export const NEAR = 1;
/** Has refused since it last was idle: an offender. */
export const REFUSED = 2;
export type Pressure = typeof CALM | typeof NEAR | typeof REFUSED;

const PRESSURES = 3;

/** Rows from the longest untouched to the latest, one list for each owner and pressure: doubly linked, in typed arrays. */
export class RecencyLists {
  #previous = new Int32Array(FIRST_CAPACITY);
  #next = new Int32Array(FIRST_CAPACITY);
  #ages = new Uint16Array(FIRST_CAPACITY);
  /** The list a row is in, plus one; 0 where it is in none. */
  #lists = new Int32Array(FIRST_CAPACITY);
  readonly #first: number[] = [];
  readonly #last: number[] = [];
  #additions = 0;

  /** The row of this owner and pressure that was not touched for longest, or -1. */
  oldest(owner: number, pressure: Pressure): number {
    return this.#first[owner * PRESSURES + pressure] ?? NONE;
  }

  pressureOf(row: number): Pressure {
    return (this.#listOf(row) % PRESSURES) as Pressure;
  }

  ownerOf(row: number): number {
    return Math.floor(this.#listOf(row) / PRESSURES);
  }

  /** @param owner a number: those in use lie close together */
  add(row: number, owner: number): void {
    if (row >= this.#lists.length) this.#grow(row);
    while (this.#first.length < (owner + 1) * PRESSURES) {
      this.#first.push(NONE);
      this.#last.push(NONE);
    }
    this.#additions += 1;
    this.#append(row, owner * PRESSURES + CALM);
  }

  /** Of a row that was added. */
  touch(row: number, pressure: Pressure): void {
    const list = this.ownerOf(row) * PRESSURES + pressure;
    if (this.#lists[row] === list + 1 && this.#ages[row] === this.#age) return;
    this.remove(row);
    this.#append(row, list);
  }

  remove(row: number): void {
    const list = (this.#lists[row] ?? 0) - 1;
    if (list === -1) return;
    const previous = this.#previous[row] ?? NONE;
    const next = this.#next[row] ?? NONE;
    if (previous === NONE) this.#first[list] = next;
    else this.#next[previous] = next;
    if (next === NONE) this.#last[list] = previous;
    else this.#previous[next] = previous;
    this.#lists[row] = 0;
  }

  #listOf(row: number): number {
    return Math.max(0, (this.#lists[row] ?? 0) - 1);
  }

  get #age(): number {
    return Math.floor(this.#additions / ADDITIONS_PER_AGE) & AGES;
  }

  #append(row: number, list: number): void {
    const last = this.#last[list] ?? NONE;
    this.#previous[row] = last;
    this.#next[row] = NONE;
    if (last === NONE) this.#first[list] = row;
    else this.#next[last] = row;
    this.#last[list] = row;
    this.#lists[row] = list + 1;
    this.#ages[row] = this.#age;
  }

  #grow(row: number): void {
    const capacity = Math.max(this.#lists.length * 2, row + 1);
    this.#previous = copied(this.#previous, new Int32Array(capacity));
    this.#next = copied(this.#next, new Int32Array(capacity));
    this.#ages = copied(this.#ages, new Uint16Array(capacity));
    this.#lists = copied(this.#lists, new Int32Array(capacity));
  }
}

function copied<T extends Int32Array | Uint16Array>(from: T, to: T): T {
  to.set(from);
  return to;
}
