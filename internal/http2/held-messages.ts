/**
 * Bytes of messages that all connections together hold. Above half of what there may be only those go on that hold no more
 * than an even share of that half: who takes much leaves room for who takes little.
 */
export class HeldMessages {
  readonly #most: number;
  readonly #connections: () => number;
  #bytes = 0;

  /** @param connections how many are open */
  constructor(most: number, connections: () => number) {
    this.#most = most;
    this.#connections = connections;
  }

  /**
   * Bytes more, or fewer.
   *
   * @param own all that the connection holds with them
   * @returns whether there may be as many
   */
  take(bytes: number, own: number): boolean {
    this.#bytes += bytes;
    const half = this.#most / 2;
    if (this.#bytes <= half) return true;
    return this.#bytes <= this.#most && own <= half / Math.max(1, this.#connections());
  }
}
