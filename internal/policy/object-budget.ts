import type { Breathe } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import type { SourceObject } from './object.ts';
import { type Weight, weigh } from './object-weight.ts';
import { sortedByAge } from './sorted-by-age.ts';

/** What the consumers, roles and bindings of one namespace may come to together. */
export interface ObjectBudget {
  readonly objects: number;
  /** Bytes that they take compiled, as they are estimated of their specs. */
  readonly bytes: number;
}

/** Whoever may hold roles has two sets with a bit for each of them; so has each role that inherits. */
const SETS = 2;

/**
 * What objects that fit take together. Sets of roles grow with how many there are of both: those who have one, and names
 * that may be in it.
 */
class Sum {
  #objects = 0;
  #bytes = 0;
  #consumers = 0;
  #inheriting = 0;
  readonly #names = new Set<string>();
  readonly #inherited = new Set<string>();

  /** Why the object does not fit, if so; else it is counted. */
  add({ bytes: own, names, inherits, isConsumer }: Weight, budget: ObjectBudget): 'objects' | 'bytes' | undefined {
    if (this.#objects >= budget.objects) return 'objects';
    const bytes = this.#bytes + own;
    const consumers = this.#consumers + (isConsumer ? 1 : 0);
    const inheriting = this.#inheriting + (inherits.length > 0 ? 1 : 0);
    const bits = consumers * sizeWith(this.#names, names) + inheriting * sizeWith(this.#inherited, inherits);
    if (bytes + (bits * SETS) / 8 > budget.bytes) return 'bytes';
    this.#objects += 1;
    this.#bytes = bytes;
    this.#consumers = consumers;
    this.#inheriting = inheriting;
    for (const name of names) this.#names.add(name);
    for (const name of inherits) this.#inherited.add(name);
    return undefined;
  }
}

const sizeWith = (known: ReadonlySet<string>, names: readonly string[]): number =>
  known.size + names.filter((name) => !known.has(name)).length;

/**
 * Tells which live objects of a namespace are over its budget: older ones go first, of any kind. They have no last good
 * version, so nothing but what they are now decides: all replicas refuse the same ones, and do after a restart.
 */
export class ObjectBudgets {
  readonly #budget: ObjectBudget | undefined;
  readonly #weights = new WeakMap<SourceObject, Weight>();

  /** @param budget undefined: there is none, and everything fits */
  constructor(budget: ObjectBudget | undefined) {
    this.#budget = budget;
  }

  /** @returns what is refused, and why */
  async over(objects: readonly SourceObject[], breathe: Breathe): Promise<ReadonlyMap<SourceObject, Problem>> {
    const over = new Map<SourceObject, Problem>();
    const budget = this.#budget;
    if (budget === undefined || (await this.#isAllWithin(objects, budget, breathe))) return over;
    const sum = new Sum();
    for (const object of await sortedByAge(objects, breathe)) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const weight = this.#weightOf(object);
      const why = sum.add(weight, budget);
      if (why !== undefined)
        over.set(object, exceeded(object, why === 'objects' ? tooMany(budget) : tooLarge(weight, budget)));
    }
    return over;
  }

  /** Where all of them fit, it does not matter which is older. */
  async #isAllWithin(objects: readonly SourceObject[], budget: ObjectBudget, breathe: Breathe): Promise<boolean> {
    const sum = new Sum();
    for (const object of objects) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      if (sum.add(this.#weightOf(object), budget) !== undefined) return false;
    }
    return true;
  }

  #weightOf(object: SourceObject): Weight {
    let weight = this.#weights.get(object);
    if (weight === undefined) {
      weight = weigh(object);
      this.#weights.set(object, weight);
    }
    return weight;
  }
}

const exceeded = ({ kind }: SourceObject, message: string): Problem => ({
  reason: 'QuotaExceeded',
  path: 'spec',
  message: `${message}. Until then ${MEANWHILE[kind] ?? 'it counts for nothing'}`,
  severity: 'error',
});

/** What becomes of it meanwhile: as if it were not there, but that nobody is freed from a deny. */
const MEANWHILE: Readonly<Record<string, string>> = {
  APIConsumer: 'none of its keys is taken',
  APIRole: 'it grants nothing, and its holders may hold any role where a deny asks',
  APIRoleBinding: 'it binds nobody, and everybody holds its role where a deny asks',
};

// Nothing that changes with other objects: each change would be another status to write, for each that is refused.
const tooMany = ({ objects }: ObjectBudget): string =>
  `The namespace may have ${objects} consumers, roles and bindings together (--namespace-objects), and older ones are as many: delete some of them, or ask the platform for more`;

const tooLarge = ({ bytes }: Weight, budget: ObjectBudget): string =>
  `This takes ${kibibytes(bytes)}, and with older consumers, roles and bindings that is more than the ${kibibytes(budget.bytes)} of the namespace (--namespace-object-bytes): delete some of them, or ask the platform for more`;

const kibibytes = (bytes: number): string => `${Math.ceil(bytes / 1024)} KiB`;
