import type { Steps } from '../core/breather.ts';
import type { PolicyRef } from '../core/decision.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import {
  attributed,
  DEFAULT_SECTIONS,
  type Default,
  type DefaultSection,
  type Defaults,
  fillDefaults,
  givenBy,
  omittedSections,
  withGiven,
} from './baselines/defaults.ts';
import { type ClaimedTarget, claimedTarget } from './claimed-target.ts';
import { compilePolicy, type PolicyPorts } from './compile-policy.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { weightOf } from './namespace-budgets.ts';
import { isSameSpec, type SourceObject } from './object.ts';
import { apiPolicySpec } from './resource/api-policy.ts';
import { parseSpec } from './resource/parse-spec.ts';
import { warnAboutClosed } from './warn-about-closed.ts';

export interface NewestOptions {
  readonly ports: PolicyPorts;
  /** What baselines give policies of its namespace. */
  readonly defaults: Defaults;
  /** Takes so many bytes out of the budget of its namespace; why not, where they are too many. */
  readonly take: (bytes: number) => Problem | undefined;
}

const NOTHING_CLAIMED: ClaimedTarget = Object.freeze({
  hosts: [],
  routes: [],
  templates: [],
  guessed: new Set<never>(),
  isWhole: true,
});

/** The newest spec of one APIPolicy: what it came to, and whether that still stands. */
export class NewestSpec {
  #compiledFrom: SourceObject | undefined = undefined;
  #policy: CompiledPolicy | undefined = undefined;
  #claimed: ClaimedTarget = NOTHING_CLAIMED;
  #problems: readonly Problem[] = [];
  /** Bytes, as far as they are known; it was refused because they are too many. */
  #weight = 0;
  #isOverBudget = false;
  /** Sections that others may give, and what was given for them when it was compiled. */
  #omitted: readonly DefaultSection[] = [];
  #given: readonly Default[] = [];

  /** The spec, if it compiled and is within the budget. */
  get policy(): CompiledPolicy | undefined {
    return this.#policy;
  }

  /** What it claims, whether or not it compiled. */
  get claimed(): ClaimedTarget {
    return this.#claimed;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  get weight(): number {
    return this.#weight;
  }

  /** What baselines gave it, if it compiled. */
  get given(): readonly Default[] {
    return this.#given;
  }

  /** Whether this very object was compiled, or tried to be. */
  isOf(object: SourceObject): boolean {
    return this.#compiledFrom === object;
  }

  /** Whether it was compiled from the object with what these defaults give it, and is within its budget. */
  isCompiledFrom(object: SourceObject, { defaults, take }: Omit<NewestOptions, 'ports'>): boolean {
    if (!this.isOf(object) || this.#isOverBudget || !this.isGiven(defaults)) return false;
    return take(this.#weight) === undefined;
  }

  /** Whether these defaults give it what it was compiled with. */
  isGiven(defaults: Defaults): boolean {
    const given = givenBy(defaults, this.#omitted);
    return given.length === this.#given.length && given.every((one, index) => one === this.#given[index]);
  }

  /** Whether the object says what this was compiled from, whatever its status is now. */
  isSame(object: SourceObject): boolean {
    const previous = this.#compiledFrom;
    return previous !== undefined && (previous === object || isSameSpec(previous, object));
  }

  /** Compiles what an object says now, unless that was done already. */
  *compile(object: SourceObject, options: NewestOptions): Steps<void> {
    const isSame = this.isSame(object);
    const isGiven = this.isGiven(options.defaults);
    // First of all: what it claims denies, also where the rest of it cannot even be compiled.
    if (!isSame) this.#claimed = claimedTarget(object.spec, options.ports.workload);
    if (!isSame || !isGiven) this.#weight = weightOf(object.spec);
    const tooMuch = options.take(this.#weight);
    if (tooMuch !== undefined) this.#refuse(tooMuch);
    else if (!isSame || !isGiven || this.#isOverBudget) yield* this.#compile(object, options);
    // Not before: what is thrown on the way must not leave an older spec in the place of this one.
    this.#compiledFrom = object;
  }

  *#compile(object: SourceObject, { ports, defaults, take }: NewestOptions): Steps<void> {
    const problems = new ProblemList('spec', [...(object.problems ?? [])]);
    const isReadable = !problems.hasErrors;
    const spec = parseSpec(apiPolicySpec, object.spec, problems);
    const filled = spec && fillDefaults(spec, defaults, problems);
    this.#policy =
      isReadable && filled ? yield* compilePolicy(filled.spec, refOf(object), { ports, problems }) : undefined;
    if (this.#policy !== undefined && filled !== undefined) warnAboutClosed(filled.spec, problems);
    this.#problems = Object.freeze([...attributed(problems.problems, filled?.given ?? [])]);
    this.#isOverBudget = false;
    // Where it is wrong, what was recorded is tried with whatever defaults there are.
    this.#omitted = this.#policy === undefined || spec === undefined ? DEFAULT_SECTIONS : omittedSections(spec);
    this.#given = givenBy(defaults, this.#omitted);
    if (this.#policy === undefined) return;
    this.#weight = weightOf(withGiven(object.spec, this.#given), this.#policy.patternParts);
    const tooHeavy = take(this.#weight);
    if (tooHeavy !== undefined) this.#refuse(tooHeavy);
  }

  /** Nothing of the spec is kept but what it claims; it is tried again when there is room. */
  #refuse(problem: Problem): void {
    this.#policy = undefined;
    this.#problems = Object.freeze([problem]);
    this.#isOverBudget = true;
  }
}

export const refOf = ({ metadata: { namespace, name, uid, generation } }: SourceObject): PolicyRef =>
  Object.freeze({ namespace, name, uid, generation });
