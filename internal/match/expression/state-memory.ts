/** The states that the automaton of one pattern keeps, as the library counts their bytes. */
export interface States {
  readonly stateBudget: number;
  /** What is left of it. */
  readonly memBudget: number;
  clearCache(): void;
}

/** What one pattern was last known to keep. Held weakly: a pattern goes with the policies that have it. */
interface Kept {
  readonly states: WeakRef<States>;
  bytes: number;
}

/**
 * Bounds the states of many patterns together. Each has a bound of its own, but requests can make every pattern of a
 * policy reach it. Over the bound, those whose states grew longest ago are emptied: they build the usual ones again with
 * their next search.
 */
export class StateMemory {
  readonly #maxBytes: number;
  #bytes = 0;
  /** In the order in which they last grew. */
  readonly #kept = new Set<Kept>();
  readonly #gone = new FinalizationRegistry<Kept>((kept) => this.#forget(kept));

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** @returns what to call after each search in which the states of this pattern grew, and in no search of another one */
  add(states: States): () => void {
    const kept: Kept = { states: new WeakRef(states), bytes: 0 };
    this.#gone.register(states, kept);
    return () => {
      this.#forget(kept);
      kept.bytes = states.stateBudget - states.memBudget;
      this.#bytes += kept.bytes;
      this.#kept.add(kept);
      for (const oldest of this.#kept) {
        if (this.#bytes <= this.#maxBytes) return;
        oldest.states.deref()?.clearCache();
        this.#forget(oldest);
      }
    };
  }

  #forget(kept: Kept): void {
    if (this.#kept.delete(kept)) this.#bytes -= kept.bytes;
  }
}
