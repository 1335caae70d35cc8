import type { Breathe } from '../../core/breather.ts';

/** What may lie above the base, as a part of it: so many changes pay for copying it once. */
const MOST_CHANGED = 1 / 16;
const FEW = 1024;

/**
 * A map that is never changed: the next one shares what stayed, and costs what changed. What a snapshot holds stays as
 * it was, however large it is, while the next one is made.
 */
export class LayeredMap<V> {
  readonly #base: ReadonlyMap<string, V>;
  /** Since the base was made; undefined for what is gone. */
  readonly #changes: ReadonlyMap<string, V | undefined>;

  constructor(base: ReadonlyMap<string, V> = new Map(), changes: ReadonlyMap<string, V | undefined> = new Map()) {
    this.#base = base;
    this.#changes = changes;
  }

  get(key: string): V | undefined {
    return this.#changes.has(key) ? this.#changes.get(key) : this.#base.get(key);
  }

  /** @param changes undefined for what is to go */
  async with(changes: ReadonlyMap<string, V | undefined>, breathe: Breathe): Promise<LayeredMap<V>> {
    const all = await copied(this.#changes, breathe);
    for (const [key, value] of changes) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      all.set(key, value);
    }
    if (all.size <= Math.max(FEW, this.#base.size * MOST_CHANGED)) return new LayeredMap(this.#base, all);
    const base = await copied(this.#base, breathe);
    for (const [key, value] of all) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      if (value === undefined) base.delete(key);
      else base.set(key, value);
    }
    return new LayeredMap(base);
  }
}

async function copied<V>(map: ReadonlyMap<string, V>, breathe: Breathe): Promise<Map<string, V>> {
  const copy = new Map<string, V>();
  for (const [key, value] of map) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    copy.set(key, value);
  }
  return copy;
}
