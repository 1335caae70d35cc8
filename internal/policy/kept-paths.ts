import type { PathTemplate } from '../match/path-template.ts';
import type { Place } from './claiming.ts';

/** What a policy has of hosts already, put in order when it asks for something else: few do in one build. */
export class KeptPaths {
  readonly #places: readonly Place[];
  /** Paths as they are written, by host. */
  #sources: Map<string, Set<string>> | undefined = undefined;

  constructor(places: readonly Place[]) {
    this.#places = places;
  }

  has(host: string, { source }: PathTemplate): boolean {
    this.#sources ??= sourcesOf(this.#places);
    return this.#sources.get(host)?.has(source) === true;
  }
}

function sourcesOf(places: readonly Place[]): Map<string, Set<string>> {
  const all = new Map<string, Set<string>>();
  for (const { host, templates } of places) {
    const known = all.get(host) ?? new Set();
    all.set(host, known);
    for (const { source } of templates) known.add(source);
  }
  return all;
}
