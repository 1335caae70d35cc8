import type { GrantedPaths } from './granted-paths.ts';
import type { Ground } from './host-table.ts';
import type { Part } from './part.ts';

/** What is claimed as one host, by part. */
export interface ClaimedHost {
  /** Mostly one to a part; more, whose paths are apart, where its namespaces read them otherwise. */
  readonly grounds: ReadonlyMap<Part | undefined, readonly Ground[]>;
  /** Everybody who claims anything of it. */
  readonly namespaces: ReadonlySet<string>;
}

/** Several grounds of one host: grants, and nothing that a policy says, tell to which of them a path belongs. */
export class Grounds {
  readonly #granted: GrantedPaths;
  readonly #claimed: readonly ClaimedHost[];

  /** @param claimed claims that cover the host, the longest first */
  constructor(granted: GrantedPaths, claimed: readonly ClaimedHost[]) {
    this.#granted = granted;
    this.#claimed = claimed;
  }

  /** The ground that governs a path, if some policy of it does. */
  at(segments: readonly string[]): Ground | undefined {
    const part = this.#granted.partAt(segments);
    if (part === undefined) return undefined;
    for (const [index, { grounds }] of this.#claimed.entries()) {
      for (const ground of grounds.get(part) ?? []) {
        const hit = ground.table.find(segments);
        if (hit !== undefined && !this.#isHidden(hit.value.namespace, index)) return ground;
      }
    }
    return undefined;
  }

  /** An exact host goes before a wildcard, whatever paths it has: so within each namespace. */
  #isHidden(namespace: string, index: number): boolean {
    for (let longer = 0; longer < index; longer += 1) {
      if (this.#claimed[longer]?.namespaces.has(namespace) === true) return true;
    }
    return false;
  }
}
