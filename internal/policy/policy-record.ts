import type { Steps } from '../core/breather.ts';
import { member } from '../core/member.ts';
import type { Problem, ProblemList } from '../core/problem.ts';
import type { Assignment, Candidate } from './assign.ts';
import { type Default, type Defaults, fillDefaults, NO_DEFAULTS } from './baselines/defaults.ts';
import { compilePolicy, type PolicyPorts } from './compile-policy.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import { type NamespaceBudgets, weightOf } from './namespace-budgets.ts';
import { type NewestOptions, NewestSpec, refOf } from './newest-spec.ts';
import type { SourceObject } from './object.ts';
import { type RecordedSpec, type RecordReader, Restorer } from './recorded-spec.ts';
import { apiPolicySpec } from './resource/api-policy.ts';
import { parseSpec } from './resource/parse-spec.ts';

export interface CompileOptions {
  readonly ports: PolicyPorts;
  readonly className: string;
  /** What baselines give policies of a namespace. */
  readonly defaultsOf: (namespace: string) => Defaults;
  /** Where objects carry the last spec that was accepted. */
  readonly recordedSpec: RecordReader;
  /** What is left for policies of each namespace. */
  readonly budgets: NamespaceBudgets;
}

/** A spec that compiled, and the bytes that it takes. */
interface Weighed {
  readonly policy: CompiledPolicy;
  readonly weight: number;
}

/** One APIPolicy over time: its newest spec, and the last one that was accepted. */
export class PolicyRecord {
  /** As its source gave it last; a newer one may come at any time. */
  object: SourceObject;
  #judged: SourceObject;
  readonly #newest = new NewestSpec();
  readonly #restorer = new Restorer();
  /** Set once a spec was assigned its hosts; kept while newer ones are wrong. */
  #accepted: CompiledPolicy | undefined = undefined;
  /** Bytes of what serves, or did until its grant went. */
  #acceptedWeight = 0;
  /** Set while nothing serves because a grant is gone: the spec that is not accepted any more. */
  #lapsed: CompiledPolicy | undefined = undefined;
  /** Nothing but a status tells that it held it. */
  #isLapseOnlyTold = false;
  /** The accepted spec was read back from the object and has not been assigned its hosts yet. */
  #isRestored = false;

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
    return this.#newest.problems;
  }

  /** What baselines gave the newest spec, if it compiled. */
  get given(): readonly Default[] {
    return this.#newest.given;
  }

  /** Whether the object as it is now was compiled, with what these defaults give it, and is within its budget. */
  isCompiledWith(options: Pick<CompileOptions, 'defaultsOf' | 'budgets'>): boolean {
    return this.#newest.isCompiledFrom(this.object, this.#ofNamespace(options));
  }

  /** Takes what serves out of the budget of its namespace, before anything that is new may have it. */
  hold(budgets: NamespaceBudgets): void {
    if (this.#acceptedWeight > 0) budgets.hold(this, this.object.metadata.namespace, this.#acceptedWeight);
  }

  /** Compiles what status tells that served before this process began: it goes before what is new. */
  *recall(options: CompileOptions): Steps<void> {
    const { object } = this;
    if (this.#accepted !== undefined || this.#newest.isOf(object)) return;
    const { metadata, status } = object;
    const generation = member(member(status, 'accepted'), 'generation');
    if (generation === metadata.generation) yield* this.compile(options);
    else if (generation !== undefined) yield* this.#restore(object, options);
  }

  /** Compiles the newest spec, unless that was done already; where nothing was accepted yet, also the recorded one. */
  *compile(options: CompileOptions): Steps<void> {
    const { object } = this;
    if (this.isCompiledWith(options)) return;
    this.#judged = object;
    const ofNamespace = this.#ofNamespace(options);
    // What was recorded in vain may be of use with other defaults.
    if (!this.#newest.isGiven(ofNamespace.defaults)) this.#restorer.forget();
    yield* this.#newest.compile(object, { ports: options.ports, ...ofNamespace });
    yield* this.#restore(object, options);
  }

  #ofNamespace({ defaultsOf, budgets }: Pick<CompileOptions, 'defaultsOf' | 'budgets'>): Omit<NewestOptions, 'ports'> {
    const { namespace } = this.object.metadata;
    return { defaults: defaultsOf(namespace), take: (bytes) => budgets.take(this, namespace, bytes) };
  }

  *#restore(object: SourceObject, options: CompileOptions): Steps<void> {
    if (this.#accepted !== undefined) return;
    const restored = yield* this.#restorer.restore<Weighed>(object, {
      recordedSpec: options.recordedSpec,
      isRight: this.#newest.policy !== undefined,
      compile: (recorded, problems) => this.#compileRecorded(recorded, options, problems),
    });
    this.#accepted = restored?.policy;
    this.#acceptedWeight = restored?.weight ?? 0;
    this.#isRestored = restored !== undefined;
  }

  *#compileRecorded(
    { spec: given, generation, isFilled }: RecordedSpec,
    options: CompileOptions,
    problems: ProblemList,
  ): Steps<Weighed | undefined> {
    const { ports, className } = options;
    const { defaults, take } = this.#ofNamespace(options);
    if (take(weightOf(given)) !== undefined) return undefined;
    const spec = parseSpec(apiPolicySpec, given, problems);
    if (spec === undefined || spec.className !== className) return undefined;
    const filled = fillDefaults(spec, isFilled === true ? NO_DEFAULTS : defaults, problems);
    const ref = Object.freeze({ ...refOf(this.object), generation });
    const policy = yield* compilePolicy(filled.spec, ref, { ports, problems });
    const weight = weightOf(given, policy?.patternParts);
    return policy !== undefined && take(weight) === undefined ? { policy, weight } : undefined;
  }

  get candidate(): Candidate {
    const { metadata, spec, status } = this.#judged;
    return {
      meta: metadata,
      newest: this.#newest.policy,
      accepted: this.#accepted,
      lapsed: this.#lapsed,
      isLapseOnlyTold: this.#isLapseOnlyTold,
      isRestored: this.#isRestored,
      isAudit: member(spec, 'mode') === 'Audit',
      claimed: this.#newest.claimed,
      recordedHosts: new Set(textsIn(member(status, 'hosts'))),
      isRecordedNewest: member(member(status, 'accepted'), 'generation') === metadata.generation,
    };
  }

  settle({ serving, lapsed, isLapseOnlyTold }: Assignment): void {
    if (serving !== undefined && serving === this.#newest.policy) this.#acceptedWeight = this.#newest.weight;
    else if (serving === undefined && lapsed === undefined) this.#acceptedWeight = 0;
    this.#accepted = serving;
    this.#lapsed = lapsed;
    this.#isLapseOnlyTold = isLapseOnlyTold;
    this.#isRestored = false;
  }
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];
