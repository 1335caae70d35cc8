const SHARDS = 64;

/**
 * Rows by key. Many small maps instead of one: a map that holds a million keys stops the process for a tenth of a second
 * whenever it grows or clears out its deleted entries.
 */
export class KeyIndex {
  readonly #maps: readonly Map<string, number>[] = Array.from({ length: SHARDS }, () => new Map<string, number>());
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** @returns -1 for a key that has no row */
  find(key: string): number {
    return this.#mapOf(key).get(key) ?? -1;
  }

  add(key: string, row: number): void {
    this.#mapOf(key).set(key, row);
    this.#size += 1;
  }

  remove(key: string): void {
    if (this.#mapOf(key).delete(key)) this.#size -= 1;
  }

  /** The end of a key is the end of a hash: as good as random. */
  #mapOf(key: string): Map<string, number> {
    const last = key.length - 1;
    const map = last < 1 ? this.#maps[0] : this.#maps[(key.charCodeAt(last) * 31 + key.charCodeAt(last - 1)) % SHARDS];
    // The index is always below SHARDS; the type cannot say so.
    if (map === undefined) throw new RangeError('No such shard');
    return map;
  }
}
