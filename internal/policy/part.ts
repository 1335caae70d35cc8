import type { LabelMatcher, Labels } from '../match/label-selector.ts';
import type { CompiledCluster } from './cluster-objects.ts';

/**
 * What grants to the same namespaces give: hosts and paths that these may claim, whoever comes first. Where a more specific
 * grant is to other namespaces it is a part of its own, in which no claim counts that was made outside of it.
 */
export class Part {
  readonly #selectors: readonly LabelMatcher[];
  readonly #labelsOf: CompiledCluster['labelsOf'];
  readonly #known = new Map<string, boolean>();

  constructor(selectors: readonly LabelMatcher[], labelsOf: CompiledCluster['labelsOf']) {
    this.#selectors = selectors;
    this.#labelsOf = labelsOf;
  }

  /** A namespace whose labels nobody knows is granted nothing. */
  selects(namespace: string): boolean {
    let known = this.#known.get(namespace);
    if (known === undefined) {
      known = this.#isSelected(this.#labelsOf(namespace));
      this.#known.set(namespace, known);
    }
    return known;
  }

  #isSelected(labels: Labels | undefined): boolean {
    return labels !== undefined && this.#selectors.some((selects) => selects(labels));
  }
}

/** What a grant that was withdrawn leaves: nobody's, so it denies, until the policy that held it is gone or moved. */
export const LAPSED = new Part([], () => undefined);
