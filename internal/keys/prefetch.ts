import type { KeySource } from '../phases/authn/key-source.ts';

/** Most keys fetched ahead at one time: ten thousand policies may arrive at once; */
const MAX_PREFETCHES = 8;
/** and of one namespace: whose issuers hang, those of others are asked beside them. */
const MAX_OF_NAMESPACE = 4;

/**
 * First fetches that wait, namespaces in turn: whoever names thousands of issuers delays its own. What fails is tried
 * again when a token needs it.
 */
export class Prefetch {
  readonly #waiting = new Map<string, KeySource[]>();
  readonly #running = new Map<string, number>();
  #count = 0;

  add(source: KeySource, namespace: string): void {
    const waiting = this.#waiting.get(namespace);
    if (waiting === undefined) this.#waiting.set(namespace, [source]);
    else waiting.push(source);
    this.#next();
  }

  #next(): void {
    while (this.#count < MAX_PREFETCHES) {
      const turn = [...this.#waiting].find(([namespace]) => this.#runningOf(namespace) < MAX_OF_NAMESPACE);
      if (turn === undefined) return;
      const [namespace, waiting] = turn;
      const source = waiting.shift();
      // To the end of the line.
      this.#waiting.delete(namespace);
      if (waiting.length > 0) this.#waiting.set(namespace, waiting);
      if (source !== undefined) this.#fetch(source, namespace);
    }
  }

  #fetch(source: KeySource, namespace: string): void {
    this.#count += 1;
    this.#running.set(namespace, this.#runningOf(namespace) + 1);
    source
      .fetch()
      .catch(() => undefined)
      .finally(() => {
        this.#count -= 1;
        const left = this.#runningOf(namespace) - 1;
        if (left > 0) this.#running.set(namespace, left);
        else this.#running.delete(namespace);
        this.#next();
      });
  }

  #runningOf(namespace: string): number {
    return this.#running.get(namespace) ?? 0;
  }
}
