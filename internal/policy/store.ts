import { type Breathe, breather, inSlices } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import type { NamespaceView } from '../core/evaluation.ts';
import type { Problem } from '../core/problem.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { AgeOrder } from './age-order.ts';
import { type Assignment, assignHosts, type Candidate } from './assign.ts';
import { buildSnapshot, type Shadow } from './build-snapshot.ts';
import type { PolicyPorts } from './compile-policy.ts';
import { liveReports } from './live-reports.ts';
import { thrownProblem } from './live-specs.ts';
import { type CompiledNamespace, NamespaceObjects } from './namespace-objects.ts';
import { compareAge, objectKey, type SourceObject } from './object.ts';
import { type CompileOptions, PolicyRecord, type RecordedSpec } from './policy-record.ts';
import { refusingNamespace } from './refusing-namespace.ts';
import { KINDS, type KindName } from './resource/kinds.ts';
import type { Snapshot } from './snapshot.ts';

/** What the last build found of one object: the source of its status conditions, of `/debug/policies` and of lint. */
export interface ObjectReport {
  readonly object: SourceObject;
  /** The newest spec is what serves (policies), or is used at all (other kinds). */
  readonly isAccepted: boolean;
  /** An older spec serves in its place. */
  readonly servesLastGood: boolean;
  /** Which generation serves, of a policy that does. */
  readonly servingGeneration: number | undefined;
  /** Older policies govern all of its hosts and paths, so that it is never asked. */
  readonly isShadowed: boolean;
  readonly problems: readonly Problem[];
  /** Hosts that the policy holds. */
  readonly hosts: readonly string[];
}

export interface Build {
  readonly snapshot: Snapshot;
  readonly reports: readonly ObjectReport[];
  readonly tookMs: number;
}

export interface StoreOptions {
  readonly ports: PolicyPorts;
  readonly clusterIssuer: string | undefined;
  /** Policies of other classes are somebody else's. */
  readonly className: string;
  readonly secrets: (namespace: string) => SecretLookup;
  /** Reads back what an object carries of the last spec that was accepted: only where objects come from a cluster. */
  readonly recordedSpec?: (object: SourceObject) => RecordedSpec | undefined;
  readonly clock: Clock;
  /** Told of every new snapshot, after it is current. */
  readonly onBuild: (build: Build) => void;
  /** A build that threw: the old snapshot stays. */
  readonly onFailure: (error: unknown) => void;
}

/** Changes that come together are built together. */
const SETTLE_MS = 5;
/** A build that failed is tried again after so long. */
const RETRY_MS = 1000;

/**
 * Holds the objects as their source gave them and keeps the current snapshot: built aside, in slices, swapped whole.
 * What cannot be built leaves the old one in place.
 */
export class PolicyStore {
  readonly #options: StoreOptions;
  readonly #policies = new Map<string, PolicyRecord>();
  readonly #byAge = new AgeOrder<PolicyRecord>();
  readonly #namespaces = new Map<string, NamespaceObjects>();
  readonly #compiled = new Map<string, CompiledNamespace>();
  /** Namespaces whose live objects or secrets changed since the last build. */
  readonly #dirty = new Set<string>();
  #snapshot: Snapshot | undefined = undefined;
  #isComplete = false;
  #hasUnread = false;
  #isBuilding = false;
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: StoreOptions) {
    this.#options = options;
  }

  /** The snapshot that checks read; undefined before the first full build. */
  get current(): Snapshot | undefined {
    return this.#snapshot;
  }

  apply(object: SourceObject): void {
    const kind = object.kind as KindName;
    if (!Object.hasOwn(KINDS, kind)) return;
    const { namespace } = object.metadata;
    if (kind === 'APIPolicy') {
      this.#applyPolicy(object);
    } else {
      const objects = this.#namespaces.get(namespace) ?? new NamespaceObjects(namespace);
      this.#namespaces.set(namespace, objects);
      objects.apply(kind, object);
      this.#dirty.add(namespace);
    }
    this.#changed();
  }

  delete(kind: string, meta: { readonly namespace: string; readonly name: string }): void {
    if (kind === 'APIPolicy') {
      this.#forget(objectKey(meta));
    } else if (kind === 'APIConsumer' || kind === 'APIRole' || kind === 'APIRoleBinding') {
      this.#namespaces.get(meta.namespace)?.delete(kind, meta.name);
      this.#dirty.add(meta.namespace);
    }
    this.#changed();
  }

  /** A Secret of the namespace came, changed or went. */
  secretChanged(namespace: string): void {
    this.#dirty.add(namespace);
    this.#changed();
  }

  /** Every source has given all it has: from now on snapshots are built. */
  complete(): void {
    this.#isComplete = true;
    this.#changed();
  }

  /** Whether something of a source was never read. Said after what was read with it, so that no snapshot is between. */
  setUnread(hasUnread: boolean): void {
    if (this.#hasUnread === hasUnread) return;
    this.#hasUnread = hasUnread;
    this.#changed();
  }

  /** Secrets that consumers name, by namespace. */
  secretNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return new Map([...this.#namespaces].map(([namespace, objects]) => [namespace, objects.secretNames()]));
  }

  #applyPolicy(object: SourceObject): void {
    const key = objectKey(object.metadata);
    const spec = object.spec as { readonly className?: unknown } | undefined;
    const record = this.#policies.get(key);
    if ((spec?.className ?? 'postern') !== this.#options.className) {
      this.#forget(key);
      return;
    }
    const isKnown = record !== undefined && record.object.metadata.uid === object.metadata.uid;
    if (isKnown && compareAge(record.object.metadata, object.metadata) === 0) {
      record.object = object;
      return;
    }
    this.#forget(key);
    // Deleted and made anew under its old name is another policy: it inherits no last good spec.
    const next = isKnown ? record : new PolicyRecord(object);
    next.object = object;
    this.#policies.set(key, next);
    this.#byAge.add(next);
  }

  #forget(key: string): void {
    const record = this.#policies.get(key);
    if (record === undefined) return;
    this.#policies.delete(key);
    this.#byAge.remove(record);
  }

  #changed(): void {
    this.#isChanged = true;
    if (this.#isComplete && !this.#isBuilding) this.#buildIn(SETTLE_MS);
  }

  #buildIn(ms: number): void {
    if (this.#timer !== undefined) return;
    this.#isChanged = true;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#buildAll();
    }, ms);
    // A process that has nothing else left to do does not go on for the sake of another try.
    if (ms === RETRY_MS) this.#timer.unref();
  }

  async #buildAll(): Promise<void> {
    this.#isBuilding = true;
    let hasFailed = false;
    while (this.#isChanged) {
      this.#isChanged = false;
      hasFailed = false;
      try {
        await this.#build();
      } catch (error) {
        hasFailed = true;
        this.#options.onFailure(error);
      }
    }
    this.#isBuilding = false;
    // Whatever it was: what changed must not wait for the next change.
    if (hasFailed) this.#buildIn(RETRY_MS);
  }

  async #build(): Promise<void> {
    const { clock, ports, className, recordedSpec = () => undefined } = this.#options;
    const compiling: CompileOptions = { ports, className, recordedSpec };
    const startMs = clock.monotonicMs();
    // As it is now: what comes while this is built may be in it or not, and is in the next one.
    const hasUnread = this.#hasUnread;
    const breathe = breather(clock);
    const records = this.#byAge.list();
    const thrown = new Map<PolicyRecord, readonly Problem[]>();
    for (const record of records) {
      if (record.isCompiled) continue;
      try {
        await inSlices(record.compile(compiling), breathe);
      } catch (error) {
        thrown.set(record, [thrownProblem(error)]);
      }
    }
    const namespaces = await this.#compileNamespaces(records, breathe);
    const byCandidate = new Map<Candidate, PolicyRecord>();
    for (const record of records) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const { candidate } = record;
      // What a record that threw calls its newest is of an older spec: its last good one serves, or none.
      byCandidate.set(thrown.has(record) ? { ...candidate, newest: undefined } : candidate, record);
    }
    const assignments = await assignHosts([...byCandidate.keys()], breathe);
    const version = (this.#snapshot?.version ?? 0) + 1;
    const { snapshot, shadows } = await buildSnapshot({ version, hasUnread, assignments, namespaces, breathe });
    const reports: ObjectReport[] = [];
    for (const [candidate, assignment] of assignments) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const record = byCandidate.get(candidate);
      if (record === undefined) continue;
      // Hosts that were given up were still held in this build: the next one gives them to whoever asked.
      if (record.accepted?.target.hosts.some((host) => !assignment.hosts.includes(host))) this.#isChanged = true;
      record.settle(assignment);
      const problems = thrown.get(record) ?? record.problems;
      reports.push(this.#report(record, { candidate, assignment, problems, shadows: shadows.get(candidate) ?? [] }));
    }
    this.#snapshot = snapshot;
    for (const report of liveReports(this.#compiled.values())) {
      await breathe();
      reports.push(report);
    }
    this.#options.onBuild({ snapshot, reports, tookMs: clock.monotonicMs() - startMs });
  }

  async #compileNamespaces(
    records: readonly PolicyRecord[],
    breathe: Breathe,
  ): Promise<ReadonlyMap<string, NamespaceView>> {
    const wanted = new Set(this.#namespaces.keys());
    for (const { object } of records) wanted.add(object.metadata.namespace);
    for (const namespace of wanted) {
      await breathe();
      if (this.#compiled.has(namespace) && !this.#dirty.has(namespace)) continue;
      this.#compiled.set(namespace, await this.#compileNamespace(namespace, breathe));
    }
    for (const namespace of this.#compiled.keys()) if (!wanted.has(namespace)) this.#compiled.delete(namespace);
    return new Map([...this.#compiled].map(([namespace, { view }]) => [namespace, view]));
  }

  async #compileNamespace(namespace: string, breathe: Breathe): Promise<CompiledNamespace> {
    const objects = this.#namespaces.get(namespace) ?? new NamespaceObjects(namespace);
    const { clusterIssuer, secrets } = this.#options;
    // Before it is compiled: what changes meanwhile makes it dirty again.
    this.#dirty.delete(namespace);
    try {
      return await objects.compile({ secrets: secrets(namespace), clusterIssuer, breathe });
    } catch (error) {
      this.#dirty.add(namespace);
      return refusingNamespace(objects.all(), error);
    }
  }

  #report(record: PolicyRecord, { candidate, assignment, problems: found, shadows }: Reported): ObjectReport {
    const isAccepted = candidate.newest !== undefined && assignment.serving === candidate.newest;
    const problems = [...found];
    if (assignment.problem !== undefined) problems.push(assignment.problem);
    const roles = this.#compiled.get(record.judged.metadata.namespace)?.roles;
    for (const { role, at } of (assignment.serving ?? candidate.newest)?.roleRefs ?? []) {
      if (roles?.defined.has(role)) continue;
      const message = `No APIRole "${role}" in this namespace: allow rules grant nothing by it${roles?.bound.has(role) ? '' : ', deny rules hold for everyone'}`;
      problems.push({ reason: 'RoleNotFound', path: at.path, message, severity: 'reference' });
    }
    problems.push(...shadows.map(shadowProblem));
    const { serving, hosts } = assignment;
    return {
      object: record.judged,
      isAccepted,
      servesLastGood: !isAccepted && serving !== undefined,
      servingGeneration: serving?.ref.generation,
      isShadowed: hosts.length > 0 && shadows.length === hosts.length * (serving?.target.templates.length ?? 0),
      problems,
      hosts,
    };
  }
}

interface Reported {
  readonly candidate: Candidate;
  readonly assignment: Assignment;
  readonly problems: readonly Problem[];
  readonly shadows: readonly Shadow[];
}

const shadowProblem = ({ host, template, by }: Shadow): Problem => ({
  reason: 'TargetConflict',
  path: 'spec.target',
  message: `"${template.source}" of "${host}" is governed by "${by}", the older policy: give one of the two other paths`,
  severity: 'warning',
});
