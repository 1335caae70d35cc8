/** A set of roles by their places, one bit each: a union takes one step for 32 roles. */
export class RoleSet {
  readonly #words: Uint32Array;

  /** @param size places that can be in it, from 0 */
  constructor(size: number) {
    this.#words = new Uint32Array(Math.ceil(size / 32));
  }

  has(place: number): boolean {
    return (((this.#words[place >>> 5] ?? 0) >>> (place & 31)) & 1) === 1;
  }

  add(place: number): void {
    this.#words[place >>> 5] = (this.#words[place >>> 5] ?? 0) | (1 << (place & 31));
  }

  /** Adds every place of another set that is not larger. */
  addAll(other: RoleSet): void {
    const words = other.#words;
    for (let i = 0; i < words.length; i += 1) this.#words[i] = (this.#words[i] ?? 0) | (words[i] ?? 0);
  }

  /** The first place in it that is not below `from`, or -1: a loop over the set that allocates nothing. */
  next(from: number): number {
    let at = from >>> 5;
    let word = (this.#words[at] ?? 0) & (-1 << (from & 31));
    while (word === 0) {
      at += 1;
      if (at >= this.#words.length) return -1;
      word = this.#words[at] ?? 0;
    }
    return at * 32 + 31 - Math.clz32(word & -word);
  }
}
