import { PosternError } from '../core/error.ts';
import type { KeySet, KeySource } from '../phases/authn/key-source.ts';

/** Most checks of one namespace that wait for keys, of a thousand that may wait in all: others have room beside it. */
export const MAX_WAITING_OF_NAMESPACE = 300;

/** How many checks wait for keys in the name of one namespace. */
export interface Waiting {
  count: number;
}

/** A source as policies of one namespace see it: it is shared with others, how many may wait for it is not. */
export class NamespaceKeys implements KeySource {
  readonly #source: KeySource;
  readonly #waiting: Waiting;

  constructor(source: KeySource, waiting: Waiting) {
    this.#source = source;
    this.#waiting = waiting;
  }

  current(): KeySet | undefined {
    return this.#source.current();
  }

  async fetch(): Promise<KeySet> {
    if (this.#waiting.count >= MAX_WAITING_OF_NAMESPACE) {
      const usable = this.#source.current();
      if (usable !== undefined) return usable;
      const why = 'Too many checks of this namespace wait for keys already';
      throw new PosternError('ERR_POSTERN_KEYS_UNAVAILABLE', why);
    }
    this.#waiting.count += 1;
    try {
      return await this.#source.fetch();
    } finally {
      this.#waiting.count -= 1;
    }
  }
}
