import type { Breathe } from '../core/breather.ts';
import { compareAge, type SourceObject } from './object.ts';
import { sortedByAge } from './sorted-by-age.ts';
import { unreadConsumer } from './unread-spec.ts';

/** Secrets that are followed for one namespace of several: each is a watch of its own on the API server. */
export const MAX_SECRETS = 500;

/**
 * Which Secrets are followed for the consumers of one namespace: those that older ones name go first. Consumers over the
 * budget count like others, so that what they hold stays nobody else's, in the first build as in all others.
 */
export class NamedSecrets {
  readonly #most: number;
  readonly #namesOf = new WeakMap<SourceObject, readonly string[]>();

  /** @param isBounded the namespace is one of several */
  constructor(isBounded: boolean) {
    this.#most = isBounded ? MAX_SECRETS : Number.POSITIVE_INFINITY;
  }

  async of(consumers: readonly SourceObject[], breathe: Breathe): Promise<ReadonlySet<string>> {
    const all = new Set<string>();
    for (const consumer of consumers) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      for (const name of this.#read(consumer)) all.add(name);
      if (all.size > this.#most) return this.#first(await sortedByAge(consumers, breathe));
    }
    return all;
  }

  /** The same in one go: before anything serves. */
  atOnce(consumers: readonly SourceObject[]): ReadonlySet<string> {
    return this.#first(consumers.toSorted((a, b) => compareAge(a.metadata, b.metadata)));
  }

  #first(sorted: readonly SourceObject[]): ReadonlySet<string> {
    const names = new Set<string>();
    for (const consumer of sorted) {
      for (const name of this.#read(consumer)) {
        if (names.size >= this.#most) return names;
        names.add(name);
      }
    }
    return names;
  }

  /** As they stand: they are judged when the consumer is compiled. */
  #read(consumer: SourceObject): readonly string[] {
    let names = this.#namesOf.get(consumer);
    if (names === undefined) {
      names = unreadConsumer(consumer).keys.flatMap(({ secretRef }) => secretRef?.name ?? []);
      this.#namesOf.set(consumer, names);
    }
    return names;
  }
}
