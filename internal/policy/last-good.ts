import type { Steps } from '../core/breather.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import { thrownProblem } from './live-specs.ts';
import { isSameSpec, type SourceObject } from './object.ts';
import type { ObjectReport } from './object-report.ts';
import { type RecordReader, Restorer } from './recorded-spec.ts';

/** Reads and compiles a spec; what is wrong with it goes to `problems`, and nothing is given then. */
export type SpecCompiler<S> = (spec: unknown, problems: ProblemList) => Steps<S | undefined>;

/**
 * One object of the cluster over time: its newest spec and the last one that was accepted, which serves while the newest
 * is wrong. Nothing but its own spec decides whether it is accepted.
 */
export class LastGood<S> {
  object: SourceObject;
  readonly #restorer = new Restorer();
  #readFrom: SourceObject | undefined = undefined;
  #newest: S | undefined = undefined;
  #serving: S | undefined = undefined;
  #servingGeneration: number | undefined = undefined;
  #problems: readonly Problem[] = [];

  constructor(object: SourceObject) {
    this.object = object;
  }

  get serving(): S | undefined {
    return this.#serving;
  }

  /** Reads the newest spec, unless that was done already; where nothing was accepted yet, also the recorded one. */
  *read(compile: SpecCompiler<S>, recordedSpec: RecordReader): Steps<void> {
    const { object } = this;
    const previous = this.#readFrom;
    if (previous === object) return;
    if (previous !== undefined && isSameSpec(previous, object)) {
      this.#readFrom = object;
      yield* this.#restore(object, compile, recordedSpec);
      return;
    }
    this.#newest = undefined;
    const problems = new ProblemList('spec', [...(object.problems ?? [])]);
    try {
      const spec = yield* compile(object.spec, problems);
      if (!problems.hasErrors) this.#newest = spec;
      this.#problems = Object.freeze([...problems.problems]);
    } catch (error) {
      this.#problems = [thrownProblem(error)];
    }
    this.#readFrom = object;
    if (this.#newest !== undefined) this.#serve(this.#newest, object.metadata.generation);
    else yield* this.#restore(object, compile, recordedSpec);
  }

  get report(): ObjectReport {
    const object = this.#readFrom ?? this.object;
    const isAccepted = this.#newest !== undefined;
    return {
      object,
      isAccepted,
      servesLastGood: !isAccepted && this.#serving !== undefined,
      servingGeneration: this.#servingGeneration,
      isShadowed: false,
      problems: this.#problems,
      hosts: [],
    };
  }

  *#restore(object: SourceObject, compile: SpecCompiler<S>, recordedSpec: RecordReader): Steps<void> {
    if (this.#serving !== undefined) return;
    const restored = yield* this.#restorer.restore(object, {
      recordedSpec,
      isRight: this.#newest !== undefined,
      *compile({ spec: recorded, generation }, problems) {
        const spec = yield* compile(recorded, problems);
        return spec && { spec, generation };
      },
    });
    if (restored !== undefined) this.#serve(restored.spec, restored.generation);
  }

  #serve(spec: S, generation: number): void {
    this.#serving = spec;
    this.#servingGeneration = generation;
  }
}
