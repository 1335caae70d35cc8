import type { Breathe } from '../core/breather.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import type { SourceObject } from './object.ts';

/** An object with what was read of its spec. */
export interface Live<S> {
  readonly object: SourceObject;
  /** undefined when something is wrong, which `problems` then says. */
  readonly spec: S | undefined;
  readonly problems: readonly Problem[];
}

/** Reads one spec; what is wrong goes to `problems`. */
export type SpecReader<S> = (
  object: SourceObject,
  problems: ProblemList,
  breathe: Breathe,
) => S | undefined | Promise<S | undefined>;

/** Specs of the live objects of one kind. One that did not change since it was read is not read again. */
export class LiveSpecs<S> {
  readonly #reader: SpecReader<S>;
  readonly #known = new WeakMap<SourceObject, Live<S>>();

  constructor(reader: SpecReader<S>) {
    this.#reader = reader;
  }

  async read(objects: readonly SourceObject[], breathe: Breathe): Promise<Live<S>[]> {
    const all: Live<S>[] = [];
    for (const object of objects) {
      await breathe();
      const live = this.#known.get(object) ?? (await this.#readOne(object, breathe));
      this.#known.set(object, live);
      all.push(live);
    }
    return all;
  }

  /** What is thrown at one object is a problem of that object, and of no other. */
  async #readOne(object: SourceObject, breathe: Breathe): Promise<Live<S>> {
    const problems = new ProblemList('spec', [...(object.problems ?? [])]);
    const isReadable = !problems.hasErrors;
    try {
      const spec = await this.#reader(object, problems, breathe);
      return { object, spec: isReadable ? spec : undefined, problems: problems.problems };
    } catch (error) {
      return { object, spec: undefined, problems: [thrownProblem(error)] };
    }
  }
}

/** What the author of an object reads when compiling it threw: our mistake, which refuses what the object would do. */
export function thrownProblem(error: unknown): Problem {
  const why = error instanceof Error ? error.message : String(error);
  return { reason: 'Invalid', path: 'spec', message: `It cannot be compiled: ${why}`, severity: 'error' };
}
