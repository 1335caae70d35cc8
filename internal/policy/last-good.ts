import type { Steps } from '../core/breather.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import { thrownProblem } from './live-specs.ts';
import { isSameSpec, type SourceObject } from './object.ts';
import type { ObjectReport } from './object-report.ts';
import type { RecordedSpec } from './policy-record.ts';

/** Reads and compiles a spec; what is wrong with it goes to `problems`, and nothing is given then. */
export type SpecCompiler<S> = (spec: unknown, problems: ProblemList) => Steps<S | undefined>;

/**
 * One object of the cluster over time: its newest spec and the last one that was accepted, which serves while the newest
 * is wrong. Nothing but its own spec decides whether it is accepted.
 */
export class LastGood<S> {
  object: SourceObject;
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
  *read(compile: SpecCompiler<S>, recordedSpec: (object: SourceObject) => RecordedSpec | undefined): Steps<void> {
    const { object } = this;
    const previous = this.#readFrom;
    if (previous === object) return;
    if (previous !== undefined && isSameSpec(previous, object)) {
      this.#readFrom = object;
      if (this.#serving === undefined) yield* this.#restore(compile, recordedSpec(object));
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
    else if (this.#serving === undefined) yield* this.#restore(compile, recordedSpec(object));
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

  /** Only an older one than the object's own, and checked again in full: whoever may write a status may have written it. */
  *#restore(compile: SpecCompiler<S>, recorded: RecordedSpec | undefined): Steps<void> {
    // As with policies, the newest is judged by itself.
    if (recorded === undefined || recorded.generation >= this.object.metadata.generation) return;
    const problems = new ProblemList();
    try {
      const spec = yield* compile(recorded.spec, problems);
      if (spec !== undefined && !problems.hasErrors) this.#serve(spec, recorded.generation);
    } catch {
      // As if nothing had been recorded.
    }
  }

  #serve(spec: S, generation: number): void {
    this.#serving = spec;
    this.#servingGeneration = generation;
  }
}
