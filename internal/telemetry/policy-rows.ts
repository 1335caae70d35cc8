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

interface Counted extends PolicyRow {
  /** The object that the newest decision carried. */
  ref: PolicyRef | undefined;
}

/** The loaded policies, by `namespace/name`. */
export type LoadedPolicies = Pick<ReadonlySet<string>, 'has'>;

const NONE_LOADED: LoadedPolicies = new Set<string>();

/**
 * The loaded policies: the closed set that the label `policy` takes its values from. A row is made when something of its
 * policy is first counted, so that a snapshot of 10,000 new policies costs nothing here.
 */
export class PolicyRows {
  readonly none: PolicyRow;
  readonly other: PolicyRow;
  readonly #families: number;
  /** Both hold the same rows, but for those that only other processes counted. */
  readonly #byRef = new Map<PolicyRef, Counted>();
  readonly #byName = new Map<string, Counted>();
  #loaded = NONE_LOADED;

  /** @param families how many families count by these rows */
  constructor(families: number) {
    this.#families = families;
    this.none = { name: 'none', cells: this.#empty() };
    this.other = { name: 'other', cells: this.#empty() };
  }

  /** A check may outlive its snapshot: its policy's object is then another one, or gone. */
  rowOf(policy: PolicyRef): PolicyRow {
    return this.#byRef.get(policy) ?? this.#bound(policy) ?? this.none;
  }

  /** The row with this value of the label; undefined for a policy that is not loaded. */
  rowNamed(name: string): PolicyRow | undefined {
    if (name === this.none.name) return this.none;
    return name === this.other.name ? this.other : this.#counted(name);
  }

  /**
   * Closes the set anew: rows of policies that stay go on, whatever their generation.
   *
   * @param loaded kept until the next time
   * @returns rows of policies that went
   */
  setPolicies(loaded: LoadedPolicies): readonly PolicyRow[] {
    this.#loaded = loaded;
    const gone: PolicyRow[] = [];
    for (const row of this.#byName.values()) {
      if (loaded.has(row.name)) continue;
      this.#byName.delete(row.name);
      if (row.ref !== undefined) this.#byRef.delete(row.ref);
      gone.push(row);
    }
    return gone;
  }

  *[Symbol.iterator](): Iterator<PolicyRow> {
    yield this.none;
    yield this.other;
    yield* this.#byName.values();
  }

  /** The row of a policy whose object is new. */
  #bound(policy: PolicyRef): PolicyRow | undefined {
    const row = this.#counted(nameOf(policy));
    if (row === undefined) return undefined;
    if (row.ref !== undefined) this.#byRef.delete(row.ref);
    row.ref = policy;
    this.#byRef.set(policy, row);
    return row;
  }

  #counted(name: string): Counted | undefined {
    const known = this.#byName.get(name);
    if (known !== undefined || !this.#loaded.has(name)) return known;
    const row: Counted = { name, cells: this.#empty(), ref: undefined };
    this.#byName.set(name, row);
    return row;
  }

  #empty(): (Cell | undefined)[][] {
    return Array.from({ length: this.#families }, () => []);
  }
}

const nameOf = ({ namespace, name }: PolicyRef): string => `${namespace}/${name}`;
