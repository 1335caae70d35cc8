import { canonicalHost } from '../core/canonical-host.ts';
import type { PolicyRef } from '../core/decision.ts';
import { type Problem, ProblemList } from '../core/problem.ts';
import { type PathTemplate, parsePathTemplate } from '../match/path-template.ts';
import type { Assignment, Candidate } from './assign.ts';
import { compilePolicy, type PolicyPorts } from './compile-policy.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { SourceObject } from './object.ts';
import { apiPolicySpec } from './resource/api-policy.ts';
import { parseSpec } from './resource/parse-spec.ts';

/** A spec that was accepted before, as a cluster's object carries it. */
export interface RecordedSpec {
  readonly generation: number;
  readonly spec: unknown;
}

export interface CompileOptions {
  readonly ports: PolicyPorts;
  readonly className: string;
  /** Where objects carry the last spec that was accepted; whoever wrote it there is not to be trusted. */
  readonly recordedSpec: (object: SourceObject) => RecordedSpec | undefined;
}

/** One APIPolicy over time: its newest spec, and the last one that was accepted. */
export class PolicyRecord {
  object: SourceObject;
  #compiledFrom: SourceObject | undefined = undefined;
  #newest: CompiledPolicy | undefined = undefined;
  #problems: readonly Problem[] = [];
  /** Set once a spec was assigned its hosts; kept while newer ones are wrong. */
  #accepted: CompiledPolicy | undefined = undefined;
  /** The accepted spec was read back from the object and has not been assigned its hosts yet. */
  #isRestored = false;

  constructor(object: SourceObject) {
    this.object = object;
  }

  get accepted(): CompiledPolicy | undefined {
    return this.#accepted;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Compiles the newest spec, unless that was done already; where nothing was accepted yet, also the recorded one. */
  compile(options: CompileOptions): void {
    if (this.#compiledFrom === this.object) return;
    const previous = this.#compiledFrom;
    this.#compiledFrom = this.object;
    if (previous === undefined || !isSameSpec(previous, this.object)) {
      const problems = new ProblemList('spec', [...(this.object.problems ?? [])]);
      const isReadable = !problems.hasErrors;
      const spec = parseSpec(apiPolicySpec, this.object.spec, problems);
      this.#newest =
        isReadable && spec ? compilePolicy(spec, refOf(this.object), { ports: options.ports, problems }) : undefined;
      this.#problems = Object.freeze([...problems.problems]);
    }
    if (this.#accepted !== undefined) return;
    this.#accepted = restore(this.object, options);
    this.#isRestored = this.#accepted !== undefined;
  }

  get candidate(): Candidate {
    const { metadata, spec, status } = this.object;
    return {
      meta: metadata,
      newest: this.#newest,
      accepted: this.#accepted,
      isRestored: this.#isRestored,
      isAudit: member(spec, 'mode') === 'Audit',
      claimedHosts: claimedHosts(spec),
      claimedTemplates: claimedTemplates(spec),
      recordedHosts: new Set(textsIn(member(status, 'hosts'))),
    };
  }

  settle({ serving }: Assignment): void {
    this.#accepted = serving;
    this.#isRestored = false;
  }
}

/**
 * The last good spec of before this process began, checked again in full. Only an older one than the object's own: the
 * newest is judged by itself, and there is none after it. Whatever cannot be used is ignored, for anybody who may write
 * a status may have written it.
 */
function restore(object: SourceObject, options: CompileOptions): CompiledPolicy | undefined {
  const { ports, className, recordedSpec } = options;
  try {
    const recorded = recordedSpec(object);
    if (recorded === undefined || recorded.generation >= object.metadata.generation) return undefined;
    const problems = new ProblemList();
    const spec = parseSpec(apiPolicySpec, recorded.spec, problems);
    if (spec === undefined || spec.className !== className) return undefined;
    const ref = Object.freeze({ ...refOf(object), generation: recorded.generation });
    return compilePolicy(spec, ref, { ports, problems });
  } catch {
    return undefined;
  }
}

/** Status writes change the object, not what it says. */
function isSameSpec(a: SourceObject, b: SourceObject): boolean {
  if (a.metadata.uid !== b.metadata.uid || a.metadata.generation !== b.metadata.generation) return false;
  if (a.problems !== b.problems) return false;
  return JSON.stringify(a.spec) === JSON.stringify(b.spec);
}

const refOf = ({ metadata: { namespace, name, uid, generation } }: SourceObject): PolicyRef =>
  Object.freeze({ namespace, name, uid, generation });

function member(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null && Object.hasOwn(value, key)
    ? (value as Record<string, unknown>)[key]
    : undefined;
}

const textsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((item) => typeof item === 'string') : [];

/** What a spec that does not compile claims all the same, as far as it can be read: that part is refused, not free. */
function claimedHosts(spec: unknown): readonly string[] {
  return textsIn(member(member(spec, 'target'), 'hosts')).flatMap((text) => {
    const isWildcard = text.startsWith('*.');
    const host = canonicalHost(isWildcard ? text.slice(2) : text);
    return host === undefined ? [] : [isWildcard ? `*.${host}` : host];
  });
}

function claimedTemplates(spec: unknown): readonly PathTemplate[] {
  const paths = textsIn(member(member(spec, 'target'), 'paths'));
  const templates = (paths.length === 0 ? ['/**'] : paths).map((path) => parsePathTemplate(path, new ProblemList()));
  return templates.filter((template) => template !== undefined);
}
