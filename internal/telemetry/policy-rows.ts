import type { PolicyRef } from '../core/decision.ts';

/** What is counted of one policy, by family and by the index of the reason; a hole until it is first counted. */
export interface PolicyRow {
  /** `namespace/name`, the value of the label. */
  readonly name: string;
  readonly cells: readonly (Cell | undefined)[][];
}

export interface Cell {
  /** Name and labels of the sample, as scraped. */
  readonly prefix: string;
  count: number;
  /** What an export told of it already. */
  told: number;
}

interface Loaded extends PolicyRow {
  /** The object that decisions of the current snapshot carry. */
  ref: PolicyRef;
  /** The `setPolicies` that named it last. */
  seenAt: number;
}

/** The loaded policies: the closed set that the label `policy` takes its values from. */
export class PolicyRows {
  readonly none: PolicyRow;
  readonly other: PolicyRow;
  readonly #families: number;
  /** Both hold the same rows. */
  readonly #byRef = new Map<PolicyRef, Loaded>();
  readonly #byName = new Map<string, Loaded>();
  #round = 0;

  /** @param families how many families count by these rows */
  constructor(families: number) {
    this.#families = families;
    this.none = { name: 'none', cells: this.#empty() };
    this.other = { name: 'other', cells: this.#empty() };
  }

  /** A check may outlive its snapshot: its policy's object is then another one, or gone. */
  rowOf(policy: PolicyRef): PolicyRow {
    return this.#byRef.get(policy) ?? this.#byName.get(nameOf(policy)) ?? this.none;
  }

  /** The row with this value of the label; undefined for a policy that is not loaded. */
  rowNamed(name: string): PolicyRow | undefined {
    if (name === this.none.name) return this.none;
    return name === this.other.name ? this.other : this.#byName.get(name);
  }

  /**
   * Closes the set anew: rows of policies that stay go on, whatever their generation. Costs next to nothing for those
   * whose object is the same as before.
   *
   * @returns rows of policies that went
   */
  setPolicies(policies: Iterable<PolicyRef>): readonly PolicyRow[] {
    this.#round += 1;
    for (const policy of policies) {
      const known = this.#byRef.get(policy);
      if (known === undefined) this.#add(policy);
      else known.seenAt = this.#round;
    }
    const gone: PolicyRow[] = [];
    for (const row of this.#byName.values()) {
      if (row.seenAt === this.#round) continue;
      this.#byName.delete(row.name);
      this.#byRef.delete(row.ref);
      gone.push(row);
    }
    return gone;
  }

  *[Symbol.iterator](): Iterator<PolicyRow> {
    yield this.none;
    yield this.other;
    yield* this.#byName.values();
  }

  #add(policy: PolicyRef): void {
    const name = nameOf(policy);
    const row = this.#byName.get(name);
    if (row === undefined) {
      const added: Loaded = { name, cells: this.#empty(), ref: policy, seenAt: this.#round };
      this.#byName.set(name, added);
      this.#byRef.set(policy, added);
      return;
    }
    this.#byRef.delete(row.ref);
    row.ref = policy;
    row.seenAt = this.#round;
    this.#byRef.set(policy, row);
  }

  #empty(): (Cell | undefined)[][] {
    return Array.from({ length: this.#families }, () => []);
  }
}

const nameOf = ({ namespace, name }: PolicyRef): string => `${namespace}/${name}`;
