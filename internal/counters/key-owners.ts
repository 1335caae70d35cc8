const NOBODY = 0;

/**
 * Whose rows there are: namespaces by number, with how many rows each has. All have the same share, so whoever has most
 * rows is furthest over it. A number is free again once its last row went.
 */
export class KeyOwners {
  readonly #numbers = new Map<string, number>();
  readonly #names: (string | undefined)[] = [];
  readonly #counts: number[] = [];
  readonly #free: number[] = [];
  /** Has most, as long as that is no fewer than `#others`, above which nobody else is. */
  #first = NOBODY;
  #others = 0;

  /** @returns undefined for a namespace without rows */
  find(name: string): number | undefined {
    return this.#numbers.get(name);
  }

  /** Counts one row more. */
  add(name: string): number {
    const owner = this.#numbers.get(name) ?? this.#enter(name);
    const count = (this.#counts[owner] ?? 0) + 1;
    this.#counts[owner] = count;
    if (owner !== this.#first && count > this.#others) this.#others = count;
    return owner;
  }

  /** Counts one row less. */
  remove(owner: number): void {
    const count = (this.#counts[owner] ?? 0) - 1;
    this.#counts[owner] = count;
    if (count > 0) return;
    this.#numbers.delete(this.#names[owner] ?? '');
    this.#names[owner] = undefined;
    this.#free.push(owner);
  }

  /**
   * Who would be furthest over its share with one row more of `comer`. Where that is more than one, it is `comer`: who
   * comes takes from nobody who has no more than it would have.
   *
   * @param comer undefined where it has no rows yet, of which none could go
   */
  furthestOver(comer: number | undefined): number {
    if ((this.#counts[this.#first] ?? 0) < this.#others) this.#look();
    const most = this.#counts[this.#first] ?? 0;
    return comer !== undefined && (this.#counts[comer] ?? 0) + 1 >= most ? comer : this.#first;
  }

  #enter(name: string): number {
    const owner = this.#free.pop() ?? this.#names.length;
    this.#names[owner] = name;
    this.#numbers.set(name, owner);
    this.#counts[owner] = 0;
    return owner;
  }

  /** Over all of them: needed again only once the first has come down to the second. */
  #look(): void {
    let first = NOBODY;
    let [most, others] = [0, 0];
    for (let owner = 0; owner < this.#counts.length; owner += 1) {
      const count = this.#counts[owner] ?? 0;
      if (count > most) {
        others = most;
        most = count;
        first = owner;
      } else if (count > others) others = count;
    }
    this.#first = first;
    this.#others = others;
  }
}
