/** Between a death and the next process of its index, while deaths follow each other. */
const FIRST_MS = 1000;
const LONGEST_MS = 30_000;
/** Who lived for so long did not die of how it began. */
const HEALTHY_MS = 60_000;

/** How long the replacement of a dead worker waits: not at all for the first death, then twice as long each time. */
export class RestartDelay {
  #nextMs = 0;

  after(livedMs: number): number {
    const delayMs = livedMs >= HEALTHY_MS ? 0 : this.#nextMs;
    this.#nextMs = Math.min(LONGEST_MS, Math.max(FIRST_MS, 2 * delayMs));
    return delayMs;
  }
}
