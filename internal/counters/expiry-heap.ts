const FIRST_CAPACITY = 1024;

/**
 * Rows by the time at which they are due: a binary heap in typed arrays. A row that is put off keeps its old place
 * until it comes up (`postpone`), so that a take on a known key costs nothing here.
 */
export class ExpiryHeap {
  #rows = new Int32Array(FIRST_CAPACITY);
  #dueMs = new Float64Array(FIRST_CAPACITY);
  /** Place of each row in the heap; -1 where it is not. */
  #places = new Int32Array(FIRST_CAPACITY).fill(-1);
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** The row that may be due first, or -1. */
  get top(): number {
    return this.#size === 0 ? -1 : (this.#rows[0] ?? -1);
  }

  /** No row is due before this. */
  get topDueMs(): number {
    return this.#size === 0 ? Number.POSITIVE_INFINITY : (this.#dueMs[0] ?? 0);
  }

  /** Adds a row, or brings it forward; a later time is only noticed when the row comes up. */
  put(row: number, dueMs: number): void {
    if (row >= this.#places.length) this.#growPlaces(row);
    const place = this.#places[row] ?? -1;
    if (place === -1) {
      if (this.#size === this.#rows.length) this.#grow();
      this.#size += 1;
      this.#rise(this.#size - 1, row, dueMs);
      return;
    }
    if (dueMs < (this.#dueMs[place] ?? 0)) this.#rise(place, row, dueMs);
  }

  /** Gives the top row a later time. */
  postpone(dueMs: number): void {
    if (this.#size > 0) this.#sink(0, this.top, dueMs);
  }

  remove(row: number): void {
    const place = row < this.#places.length ? (this.#places[row] ?? -1) : -1;
    if (place === -1) return;
    this.#places[row] = -1;
    this.#size -= 1;
    if (place === this.#size) return;
    const moved = this.#rows[this.#size] ?? 0;
    const dueMs = this.#dueMs[this.#size] ?? 0;
    this.#rise(place, moved, dueMs);
    this.#sink(this.#places[moved] ?? place, moved, dueMs);
  }

  #rise(from: number, row: number, dueMs: number): void {
    let place = from;
    while (place > 0) {
      const parent = (place - 1) >> 1;
      const parentDueMs = this.#dueMs[parent] ?? 0;
      if (parentDueMs <= dueMs) break;
      this.#set(place, this.#rows[parent] ?? 0, parentDueMs);
      place = parent;
    }
    this.#set(place, row, dueMs);
  }

  #sink(from: number, row: number, dueMs: number): void {
    let place = from;
    for (;;) {
      let child = 2 * place + 1;
      if (child >= this.#size) break;
      if (child + 1 < this.#size && (this.#dueMs[child + 1] ?? 0) < (this.#dueMs[child] ?? 0)) child += 1;
      const childDueMs = this.#dueMs[child] ?? 0;
      if (childDueMs >= dueMs) break;
      this.#set(place, this.#rows[child] ?? 0, childDueMs);
      place = child;
    }
    this.#set(place, row, dueMs);
  }

  #set(place: number, row: number, dueMs: number): void {
    this.#rows[place] = row;
    this.#dueMs[place] = dueMs;
    this.#places[row] = place;
  }

  #grow(): void {
    const rows = new Int32Array(this.#rows.length * 2);
    rows.set(this.#rows);
    this.#rows = rows;
    const dueMs = new Float64Array(rows.length);
    dueMs.set(this.#dueMs);
    this.#dueMs = dueMs;
  }

  #growPlaces(row: number): void {
    const places = new Int32Array(Math.max(this.#places.length * 2, row + 1)).fill(-1);
    places.set(this.#places);
    this.#places = places;
  }
}
