import type { Assignment } from './assign.ts';
import { type PathOptions, STRICT } from './compiled-policy.ts';

/** How the paths of each host are read by what serves there: of one namespace it agrees, and mostly of all. */
export class HostReadings {
  readonly #ofAll = new Map<string, PathOptions>();
  /** By host, then namespace. */
  readonly #ofEach = new Map<string, Map<string, PathOptions>>();

  add({ serving, places }: Assignment, namespace: string): void {
    if (serving === undefined) return;
    const { pathOptions } = serving.target;
    for (const { host } of places) {
      this.#ofAll.set(host, pathOptions);
      const each = this.#ofEach.get(host);
      if (each === undefined) this.#ofEach.set(host, new Map([[namespace, pathOptions]]));
      else each.set(namespace, pathOptions);
    }
  }

  /** For what denies there: it lies beside what its own namespace serves, else beside anybody's. */
  of(host: string, namespace: string): PathOptions {
    return this.#ofEach.get(host)?.get(namespace) ?? this.#ofAll.get(host) ?? STRICT;
  }
}
