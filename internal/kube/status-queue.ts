import type { DesiredStatus } from './apply-status.ts';

/** Statuses of one namespace, each part in the order in which its objects were first wanted. */
interface Waiting {
  /** Of policies: by these an author sees whether a change serves. */
  readonly policies: Map<string, DesiredStatus>;
  readonly others: Map<string, DesiredStatus>;
}

/**
 * Statuses that wait to be written, the newest for each object. Namespaces take turns, one status each, so that who has
 * much to say keeps only its own waiting; objects of the cluster are one namespace here.
 */
export class StatusQueue {
  /** By namespace; whose turn it is comes first. */
  readonly #waiting = new Map<string, Waiting>();
  #size = 0;

  get size(): number {
    return this.#size;
  }

  /** One that waits already keeps its place. */
  set(key: string, desired: DesiredStatus): void {
    const { namespace } = desired;
    const waiting = this.#waiting.get(namespace) ?? { policies: new Map(), others: new Map() };
    this.#waiting.set(namespace, waiting);
    const part = desired.kind === 'APIPolicy' ? waiting.policies : waiting.others;
    if (!part.has(key)) this.#size += 1;
    part.set(key, desired);
  }

  /**
   * The one whose turn it is.
   *
   * @param mayBegin asked for each by its key, until one may
   */
  next(mayBegin: (key: string) => boolean): readonly [key: string, desired: DesiredStatus] | undefined {
    for (const { policies, others } of this.#waiting.values()) {
      for (const part of [policies, others]) {
        for (const one of part) if (mayBegin(one[0])) return one;
      }
    }
    return undefined;
  }

  /**
   * Takes one out; its namespace had its turn.
   *
   * @returns the newest that waited for this object
   */
  remove(key: string, { namespace }: Pick<DesiredStatus, 'namespace'>): DesiredStatus | undefined {
    const waiting = this.#waiting.get(namespace);
    if (waiting === undefined) return undefined;
    const { policies, others } = waiting;
    const found = policies.get(key) ?? others.get(key);
    if (policies.delete(key) || others.delete(key)) this.#size -= 1;
    this.#waiting.delete(namespace);
    if (policies.size + others.size > 0) this.#waiting.set(namespace, waiting);
    return found;
  }

  clear(): void {
    this.#waiting.clear();
    this.#size = 0;
  }
}
