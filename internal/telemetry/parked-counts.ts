export interface ParkedCount {
  readonly policy: string;
  /** The number of the reason. */
  readonly reason: number;
  count: number;
}

/** Counts of policies that another process serves already and this one does not know yet: at most so many series. */
export class ParkedCounts {
  readonly #max: number;
  #counts = new Map<string, ParkedCount>();

  constructor(max: number) {
    this.#max = max;
  }

  add(policy: string, reason: number, count: number): void {
    const key = `${reason} ${policy}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += count;
    else if (this.#counts.size < this.#max) this.#counts.set(key, { policy, reason, count });
  }

  /** All of them, of which none stays: those that nobody knows by now are of policies that went. */
  take(): Iterable<ParkedCount> {
    const taken = this.#counts;
    if (taken.size > 0) this.#counts = new Map();
    return taken.values();
  }
}
