import { hashOfKey, hashOfWritten, isKeyAt, KEY_BYTES } from './key-bytes.ts';

const SHARDS = 64;
const SHARD_BITS = 6;
const FIRST_CAPACITY = 16;
const EMPTY = -1;

/** Where the key of a row is written. */
export interface WrittenKeys {
  bytesOf(row: number): Uint8Array;
  /** Index of the row's key in those bytes, in keys. */
  placeOf(row: number): number;
}

/**
 * Rows by key: 64 open tables of row numbers, each grown for itself. One table for a million keys would stop the process
 * for a tenth of a second whenever it grows.
 */
export class KeyIndex {
  readonly #keys: WrittenKeys;
  readonly #seed: number;
  readonly #tables: Int32Array[] = Array.from({ length: SHARDS }, () => new Int32Array(FIRST_CAPACITY).fill(EMPTY));
  readonly #sizes = new Uint32Array(SHARDS);
  #size = 0;

  constructor(keys: WrittenKeys, seed: number) {
    this.#keys = keys;
    this.#seed = seed;
  }

  get size(): number {
    return this.#size;
  }

  /** @returns -1 for a key that has no row */
  find(key: string): number {
    const hash = hashOfKey(key, this.#seed);
    const table = this.#tableOf(hash);
    const mask = table.length - 1;
    for (let slot = firstSlot(hash, mask); ; slot = (slot + 1) & mask) {
      const row = table[slot] ?? EMPTY;
      if (row === EMPTY || isKeyAt(this.#keys.bytesOf(row), this.#keys.placeOf(row) * KEY_BYTES, key)) return row;
    }
  }

  /** Adds a row whose key is written, and not in the index. */
  add(row: number): void {
    const hash = this.#hashOf(row);
    const shard = hash % SHARDS;
    const size = (this.#sizes[shard] ?? 0) + 1;
    const table = this.#tableOf(hash);
    // Half full at most: a look for a key that is not there ends soon.
    if (size * 2 > table.length) this.#grow(shard, table);
    this.#put(this.#tableOf(hash), row, hash);
    this.#sizes[shard] = size;
    this.#size += 1;
  }

  /** Removes a row whose key is still written. */
  remove(row: number): void {
    const hash = this.#hashOf(row);
    const table = this.#tableOf(hash);
    const mask = table.length - 1;
    let slot = firstSlot(hash, mask);
    while (table[slot] !== row) {
      if (table[slot] === EMPTY) return;
      slot = (slot + 1) & mask;
    }
    this.#closeGap(table, slot);
    this.#sizes[hash % SHARDS] = (this.#sizes[hash % SHARDS] ?? 1) - 1;
    this.#size -= 1;
  }

  /** Moves up what a gap would hide: rows behind it that belong at it or before it. */
  #closeGap(table: Int32Array, from: number): void {
    const mask = table.length - 1;
    let gap = from;
    for (let slot = (gap + 1) & mask; ; slot = (slot + 1) & mask) {
      const row = table[slot] ?? EMPTY;
      if (row === EMPTY) break;
      const home = firstSlot(this.#hashOf(row), mask);
      if (((slot - home) & mask) < ((slot - gap) & mask)) continue;
      table[gap] = row;
      gap = slot;
    }
    table[gap] = EMPTY;
  }

  #grow(shard: number, table: Int32Array): void {
    const larger = new Int32Array(table.length * 2).fill(EMPTY);
    for (const row of table) if (row !== EMPTY) this.#put(larger, row, this.#hashOf(row));
    this.#tables[shard] = larger;
  }

  #put(table: Int32Array, row: number, hash: number): void {
    const mask = table.length - 1;
    let slot = firstSlot(hash, mask);
    while (table[slot] !== EMPTY) slot = (slot + 1) & mask;
    table[slot] = row;
  }

  #hashOf(row: number): number {
    return hashOfWritten(this.#keys.bytesOf(row), this.#keys.placeOf(row) * KEY_BYTES, this.#seed);
  }

  #tableOf(hash: number): Int32Array {
    const table = this.#tables[hash % SHARDS];
    // The index is always below SHARDS; the type cannot say so.
    if (table === undefined) throw new RangeError('No such shard');
    return table;
  }
}

const firstSlot = (hash: number, mask: number): number => (hash >>> SHARD_BITS) & mask;
