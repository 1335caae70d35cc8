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

/** One APIPolicy over time: its newest spec, and the last one that was accepted. */
export class PolicyRecord {
  object: SourceObject;
  #compiledFrom: SourceObject | undefined = undefined;
  #newest: CompiledPolicy | undefined = undefined;
  #problems: readonly Problem[] = [];
  /** Set once a spec was assigned its hosts; kept while newer ones are wrong. */
  #accepted: CompiledPolicy | undefined = undefined;

  constructor(object: SourceObject) {
    this.object = object;
  }

  get accepted(): CompiledPolicy | undefined {
    return this.#accepted;
  }

  get problems(): readonly Problem[] {
    return this.#problems;
  }

  /** Compiles the newest spec, unless that was done already. */
  compile(ports: PolicyPorts): void {
    if (this.#compiledFrom === this.object) return;
    const previous = this.#compiledFrom;
    this.#compiledFrom = this.object;
    if (previous !== undefined && isSameSpec(previous, this.object)) return;
    const problems = new ProblemList();
    const spec = parseSpec(apiPolicySpec, this.object.spec, problems);
    this.#newest = spec && compilePolicy(spec, refOf(this.object), { ports, problems });
    this.#problems = Object.freeze([...problems.problems]);
  }

  get candidate(): Candidate {
    const { metadata, spec, status } = this.object;
    return {
      meta: metadata,
      newest: this.#newest,
      accepted: this.#accepted,
      isAudit: member(spec, 'mode') === 'Audit',
      claimedHosts: claimedHosts(spec),
      claimedTemplates: claimedTemplates(spec),
      recordedHosts: new Set(textsIn(member(status, 'hosts'))),
    };
  }

  settle({ serving }: Assignment): void {
    this.#accepted = serving;
  }
}

/** Status writes change the object, not what it says. */
function isSameSpec(a: SourceObject, b: SourceObject): boolean {
  if (a.metadata.uid !== b.metadata.uid || a.metadata.generation !== b.metadata.generation) return false;
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
