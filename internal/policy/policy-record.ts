import { hash } from 'node:crypto';
import type { Steps } from '../core/breather.ts';
import type { PolicyRef } from '../core/decision.ts';
import { member } from '../core/member.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import type { Assignment, Candidate } from './assign.ts';
import {
  attributed,
  DEFAULT_SECTIONS,
  type Default,
  type DefaultSection,
  type Defaults,
  fillDefaults,
  givenBy,
  isFilledFrom,
  NO_DEFAULTS,
  omittedSections,
  withGiven,
} from './baselines/defaults.ts';
import { type ClaimedTarget, claimedTarget } from './claimed-target.ts';
import { compilePolicy, type PolicyPorts } from './compile-policy.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { type NamespaceBudgets, weightOf } from './namespace-budgets.ts';
import { isSameSpec, type SourceObject } from './object.ts';
import { apiPolicySpec } from './resource/api-policy.ts';
import { parseSpec } from './resource/parse-spec.ts';
import { warnAboutClosed } from './warn-about-closed.ts';

/** A spec that was accepted before, as a cluster's object carries it. */
export interface RecordedSpec {
  readonly generation: number;
  readonly spec: unknown;
  /** What baselines gave it then is in it, and nothing is given it any more. */
  readonly isFilled?: boolean;
}

export interface CompileOptions {
  readonly ports: PolicyPorts;
  readonly className: string;
  /** What baselines give policies of a namespace. */
  readonly defaultsOf: (namespace: string) => Defaults;
  /** Where objects carry the last spec that was accepted; whoever wrote it there is not to be trusted. */
  readonly recordedSpec: (object: SourceObject) => RecordedSpec | undefined;
  /** What is left for policies of each namespace. */
  readonly budgets: NamespaceBudgets;
}

const NOTHING_CLAIMED: ClaimedTarget = Object.freeze({
  hosts: [],
  routes: [],
  templates: [],
  guessed: new Set<never>(),
  isWhole: true,
});

/** One APIPolicy over time: its newest spec, and the last one that was accepted. */
export class PolicyRecord {
  /** As its source gave it last; a newer one may come at any time. */
  object: SourceObject;
  #judged: SourceObject;
  #compiledFrom: SourceObject | undefined = undefined;
  #newest: CompiledPolicy | undefined = undefined;
  #claimed: ClaimedTarget = NOTHING_CLAIMED;
  #problems: readonly Problem[] = [];
  /** Bytes of the newest spec, as far as they are known; it was refused because they are too many. */
  #weight = 0;
  #isOverBudget = false;
  /** Of what serves, or did until its grant went. */
  #acceptedWeight = 0;
  /** Sections that others may give, and what was given for them when the newest spec was compiled. */
  #omitted: readonly DefaultSection[] = [];
  #given: readonly Default[] = [];
  /** Set once a spec was assigned its hosts; kept while newer ones are wrong. */
  #accepted: CompiledPolicy | undefined = undefined;
  /** Set while nothing serves because a grant is gone: the spec that is not accepted any more. */
  #lapsed: CompiledPolicy | undefined = undefined;
  /** Nothing but a status tells that it held it. */
  #isLapseOnlyTold = false;
  /** The accepted spec was read back from the object and has not been assigned its hosts yet. */
  #isRestored = false;
  /** Digest of what was recorded in vain: it is not read again for the same object, however often its status changes. */
  #refused: string | undefined = undefined;

  constructor(object: SourceObject) {
    this.object = object;
    this.#judged = object;
  }

  /** The object that was last compiled, or tried to be: whatever is said of the policy is said of this one. */
  get judged(): SourceObject {
    return this.#judged;
  }

  get accepted(): CompiledPolicy | undefined {
    return this.#accepted;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** What baselines gave the newest spec, if it compiled. */
  get given(): readonly Default[] {
    return this.#given;
  }

  /** Whether the object as it is now was compiled, with what these defaults give it, and is within its budget. */
  isCompiledWith({ defaultsOf, budgets }: Pick<CompileOptions, 'defaultsOf' | 'budgets'>): boolean {
    const { namespace } = this.object.metadata;
    if (this.#compiledFrom !== this.object || this.#isOverBudget || !this.#isGiven(defaultsOf(namespace))) return false;
    return budgets.take(this, namespace, this.#weight) === undefined;
  }

  /** Takes what serves out of the budget of its namespace, before anything that is new may have it. */
  hold(budgets: NamespaceBudgets): void {
    if (this.#acceptedWeight > 0) budgets.hold(this, this.object.metadata.namespace, this.#acceptedWeight);
  }

  /** Compiles what status tells that served before this process began: it goes before what is new. */
  *recall(options: CompileOptions): Steps<void> {
    const { object } = this;
    if (this.#accepted !== undefined || this.#compiledFrom === object) return;
    const { metadata, status } = object;
    const generation = member(member(status, 'accepted'), 'generation');
    if (generation === metadata.generation) yield* this.compile(options);
    else if (generation !== undefined) yield* this.#restore(object, options);
  }

  /** Compiles the newest spec, unless that was done already; where nothing was accepted yet, also the recorded one. */
  *compile(options: CompileOptions): Steps<void> {
    const { object } = this;
    const { namespace } = object.metadata;
    const defaults = options.defaultsOf(namespace);
    if (this.isCompiledWith(options)) return;
    this.#judged = object;
    const previous = this.#compiledFrom;
    const isSame = previous !== undefined && (previous === object || isSameSpec(previous, object));
    // First of all: what it claims denies, also where the rest of it cannot even be compiled.
    if (!isSame) this.#claimed = claimedTarget(object.spec, options.ports.workload);
    if (!isSame || !this.#isGiven(defaults)) {
      this.#weight = weightOf(object.spec);
      // What was recorded in vain may be of use with other defaults.
      if (isSame) this.#refused = undefined;
    }
    const isKnown = isSame && !this.#isOverBudget && this.#isGiven(defaults);
    const tooMuch = options.budgets.take(this, namespace, this.#weight);
    if (tooMuch !== undefined) this.#refuse(tooMuch);
    else if (!isKnown) {
      const problems = new ProblemList('spec', [...(object.problems ?? [])]);
      const isReadable = !problems.hasErrors;
      const spec = parseSpec(apiPolicySpec, object.spec, problems);
      const filled = spec && fillDefaults(spec, defaults, problems);
      this.#newest =
        isReadable && filled
          ? yield* compilePolicy(filled.spec, refOf(object), { ports: options.ports, problems })
          : undefined;
      if (this.#newest !== undefined && filled !== undefined) warnAboutClosed(filled.spec, problems);
      this.#problems = Object.freeze([...attributed(problems.problems, filled?.given ?? [])]);
      this.#isOverBudget = false;
      // Where it is wrong, what was recorded is tried with whatever defaults there are.
      this.#omitted = this.#newest === undefined || spec === undefined ? DEFAULT_SECTIONS : omittedSections(spec);
      this.#given = givenBy(defaults, this.#omitted);
      if (this.#newest !== undefined) {
        this.#weight = weightOf(withGiven(object.spec, this.#given), this.#newest.patternParts);
        const tooHeavy = options.budgets.take(this, namespace, this.#weight);
        if (tooHeavy !== undefined) this.#refuse(tooHeavy);
      }
    }
    // Not before: what is thrown on the way must not leave an older spec in the place of this one.
    this.#compiledFrom = object;
    yield* this.#restore(object, options);
  }

  /** Nothing of the spec is kept but what it claims; it is tried again when there is room. */
  #refuse(problem: Problem): void {
    this.#newest = undefined;
    this.#problems = Object.freeze([problem]);
    this.#isOverBudget = true;
  }

  *#restore(object: SourceObject, options: CompileOptions): Steps<void> {
    if (this.#accepted !== undefined) return;
    const digest = recordDigest(object);
    if (digest === this.#refused) return;
    const { namespace } = object.metadata;
    const restored = yield* restore(object, {
      ...options,
      isRight: this.#newest !== undefined,
      fits: (weight) => options.budgets.take(this, namespace, weight) === undefined,
    });
    this.#accepted = restored?.policy;
    this.#acceptedWeight = restored?.weight ?? 0;
    this.#isRestored = restored !== undefined;
    this.#refused = this.#isRestored ? undefined : digest;
  }

  #isGiven(defaults: Defaults): boolean {
    const given = givenBy(defaults, this.#omitted);
    return given.length === this.#given.length && given.every((one, index) => one === this.#given[index]);
  }

  get candidate(): Candidate {
    const { metadata, spec, status } = this.#judged;
    return {
      meta: metadata,
      newest: this.#newest,
      accepted: this.#accepted,
      lapsed: this.#lapsed,
      isLapseOnlyTold: this.#isLapseOnlyTold,
      isRestored: this.#isRestored,
      isAudit: member(spec, 'mode') === 'Audit',
      claimed: this.#claimed,
      recordedHosts: new Set(textsIn(member(status, 'hosts'))),
      isRecordedNewest: member(member(status, 'accepted'), 'generation') === metadata.generation,
    };
  }

  settle({ serving, lapsed, isLapseOnlyTold }: Assignment): void {
    if (serving !== undefined && serving === this.#newest) this.#acceptedWeight = this.#weight;
    else if (serving === undefined && lapsed === undefined) this.#acceptedWeight = 0;
    this.#accepted = serving;
    this.#lapsed = lapsed;
    this.#isLapseOnlyTold = isLapseOnlyTold;
    this.#isRestored = false;
  }
}

interface RestoreOptions extends CompileOptions {
  /** The newest spec compiled. */
  readonly isRight: boolean;
  /** Whether so many bytes of it are within the budget. */
  readonly fits: (weight: number) => boolean;
}

interface Restored {
  readonly policy: CompiledPolicy;
  readonly weight: number;
}

/**
 * The last good spec of before this process began, checked again in full. Of the object's own generation only what a
 * baseline gave it before may be different, and only where it does not compile with what it is given now. Whatever cannot
 * be used is ignored, for anybody who may write a status may have written it.
 */
function* restore(object: SourceObject, options: RestoreOptions): Steps<Restored | undefined> {
  const { ports, className, defaultsOf, recordedSpec, isRight, fits } = options;
  try {
    const recorded = recordedSpec(object);
    if (recorded === undefined || recorded.generation > object.metadata.generation) return undefined;
    yield;
    if (recorded.generation === object.metadata.generation) {
      // The newest is judged by itself, and there is none after it.
      if (isRight || recorded.isFilled !== true || !isFilledFrom(recorded.spec, object.spec)) return undefined;
    }
    if (!fits(weightOf(recorded.spec))) return undefined;
    const problems = new ProblemList();
    const spec = parseSpec(apiPolicySpec, recorded.spec, problems);
    if (spec === undefined || spec.className !== className) return undefined;
    const defaults = recorded.isFilled === true ? NO_DEFAULTS : defaultsOf(object.metadata.namespace);
    const filled = fillDefaults(spec, defaults, problems);
    const ref = Object.freeze({ ...refOf(object), generation: recorded.generation });
    const policy = yield* compilePolicy(filled.spec, ref, { ports, problems });
    const weight = weightOf(recorded.spec, policy?.patternParts);
    return policy !== undefined && fits(weight) ? { policy, weight } : undefined;
  } catch {
    return undefined;
  }
}

/** Of the generation too: what a record is good for depends on it. */
const recordDigest = ({ metadata, status }: SourceObject): string =>
  hash('sha256', `${metadata.generation} ${JSON.stringify(member(status, 'accepted') ?? null)}`);

const refOf = ({ metadata: { namespace, name, uid, generation } }: SourceObject): PolicyRef =>
  Object.freeze({ namespace, name, uid, generation });

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
