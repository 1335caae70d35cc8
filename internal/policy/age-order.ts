import { compareAge, type ObjectMeta } from './object.ts';

interface Aged {
  readonly object: { readonly metadata: ObjectMeta };
}

/** Things sorted by `compareAge` as they come and go: ten thousand are not sorted anew for one. */
export class AgeOrder<T extends Aged> {
  readonly #sorted: T[] = [];

  add(item: T): void {
    this.#sorted.splice(this.#placeOf(item.object.metadata), 0, item);
  }

  remove(item: T): void {
    const place = this.#placeOf(item.object.metadata);
    if (this.#sorted[place] === item) this.#sorted.splice(place, 1);
  }

  /** Older first, as it is now: what comes and goes later is not in it. */
  list(): readonly T[] {
    return this.#sorted.slice();
  }

  /** Where a thing of this age and name is, or would be. */
  #placeOf(meta: ObjectMeta): number {
    let low = 0;
    let high = this.#sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const found = this.#sorted[middle];
      if (found !== undefined && compareAge(found.object.metadata, meta) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
