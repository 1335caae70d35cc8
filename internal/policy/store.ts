import { setTimeout as wait } from 'node:timers/promises';
import { type Breathe, breather } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import { type Assignment, assignHosts, type Candidate, hostsOf } from './assign.ts';
import { BaselineView } from './baselines/baseline-view.ts';
import type { Defaults } from './baselines/defaults.ts';
import { HeldPolicies } from './baselines/held-policies.ts';
import type { OverrideSet } from './baselines/override-set.ts';
import { buildSnapshot } from './build-snapshot.ts';
import type { HostRule } from './claiming.ts';
import { ClusterObjects, type CompiledCluster, isClusterKind } from './cluster-objects.ts';
import type { PolicyPorts } from './compile-policy.ts';
import { compileRecords } from './compile-records.ts';
import { FirstCome } from './first-come.ts';
import { GrantedClaims } from './granted-claims.ts';
import { HostGrants } from './host-grants.ts';
import { lapseClaims } from './lapsed-claims.ts';
import { type NamespaceBudget, NamespaceBudgets } from './namespace-budgets.ts';
import { isLiveKind } from './namespace-objects.ts';
import { Namespaces } from './namespaces.ts';
import type { SourceObject } from './object.ts';
import type { ObjectBudget } from './object-budget.ts';
import { liveReports, type ObjectReport, policyReport } from './object-report.ts';
import type { CompileOptions, PolicyRecord } from './policy-record.ts';
import { PolicyRecords } from './policy-records.ts';
import type { RecordReader } from './recorded-spec.ts';
import type { Snapshot } from './snapshot.ts';
import type { PodLabels } from './workload.ts';

export type { ObjectReport } from './object-report.ts';

export interface Build {
  readonly snapshot: Snapshot;
  readonly reports: readonly ObjectReport[];
  /** How far its source had come as the build began: everything up to there is in it. */
  readonly horizon: Horizon | undefined;
  readonly tookMs: number;
}

/** A place in the history of each watch of a source. */
export type Horizon = Readonly<Record<string, string>>;

export interface StoreOptions {
  readonly ports: PolicyPorts;
  readonly clusterIssuer: string | undefined;
  /** Policies of other classes are somebody else's. */
  readonly className: string;
  /** Who may claim a host: whom a HostGrant names, or who comes first (the default). */
  readonly hostGrants?: 'required' | 'first-come';
  readonly secrets: (namespace: string) => SecretLookup;
  /** What each namespace may have; undefined: as much as it likes. */
  readonly namespaceBudget?: NamespaceBudget | undefined;
  /** The same for consumers, roles and bindings. */
  readonly objectBudget?: ObjectBudget | undefined;
  /** Whether the source gives Namespaces, so that one whose object has not come has unknown labels. */
  readonly hasNamespaces?: boolean;
  /** Reads back what an object carries of the last spec that was accepted: only where objects come from a cluster. */
  readonly recordedSpec?: RecordReader;
  /** Where the source is now; only where it has a history. */
  readonly horizon?: () => Horizon | undefined;
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
/** Between builds that follow each other is a rest: so many times as long as the last one took, and no longer than this. */
const RESTS = 4;
const LONGEST_REST_MS = 1000;

/**
 * Holds the objects as their source gave them and keeps the current snapshot: built aside, in slices, swapped whole.
 * What cannot be built leaves the old one in place.
 */
export class PolicyStore {
  readonly #options: StoreOptions;
  readonly #policies: PolicyRecords;
  readonly #namespaces: Namespaces;
  readonly #cluster: ClusterObjects;
  readonly #baselines = new BaselineView();
  readonly #held: HeldPolicies;
  #snapshot: Snapshot | undefined = undefined;
  /** Version of the cluster's objects by which every policy was last assigned; undefined while that is not sure. */
  #settledVersion: number | undefined = undefined;
  #isComplete = false;
  #hasUnread = false;
  #isBuilding = false;
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** Who waits until all that was given so far serves. */
  #awaiting: (() => void)[] = [];

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#policies = new PolicyRecords(options.className);
    this.#namespaces = new Namespaces(options);
    const { hasNamespaces = false, recordedSpec = () => undefined } = options;
    this.#cluster = new ClusterObjects({ hasNamespaces, recordedSpec, ports: options.ports });
    this.#held = new HeldPolicies(options.ports.limits);
  }

  /** The snapshot that checks read; undefined before the first full build. */
  get current(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Objects of kinds that are not of Postern are ignored. */
  apply(object: SourceObject): void {
    if (object.kind === 'APIPolicy') this.#policies.apply(object);
    else if (isLiveKind(object.kind)) this.#namespaces.apply(object.kind, object);
    else if (!isClusterKind(object.kind) || !this.#cluster.apply(object.kind, object)) return;
    this.#changed();
  }

  delete(kind: string, meta: { readonly namespace: string; readonly name: string }): void {
    if (kind === 'APIPolicy') this.#policies.delete(meta);
    else if (isLiveKind(kind)) this.#namespaces.delete(kind, meta);
    else if (isClusterKind(kind)) this.#cluster.delete(kind, meta.name);
    else return;
    this.#changed();
  }

  /** A Secret of the namespace came, changed or went. */
  secretChanged(namespace: string): void {
    this.#namespaces.secretChanged(namespace);
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

  /** The labels of the sidecar's Pod are others: other policies may select it. */
  relabel(labels: PodLabels): void {
    this.#options.ports.workload?.relabel(labels);
    this.#changed();
  }

  /** Resolves when everything that was given so far serves; never rejects. */
  caughtUp(): Promise<void> {
    if (!this.#isChanged && !this.#isBuilding) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#awaiting.push(resolve);
    return promise;
  }

  /** Secrets that consumers name, by namespace. */
  secretNames(): ReadonlyMap<string, ReadonlySet<string>> {
    return this.#namespaces.secretNames();
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
      const awaiting = this.#awaiting.splice(0);
      try {
        const { tookMs, hasFreed } = await this.#build();
        for (const resolve of awaiting) resolve();
        // What was given up was still held in this build: the next one gives it to whoever asked.
        if (hasFreed) this.#isChanged = true;
        // Who changes things all the time has a part of the time built for him; checks have the rest.
        else if (this.#isChanged && tookMs > 0) await wait(Math.min(RESTS * tookMs, LONGEST_REST_MS));
      } catch (error) {
        hasFailed = true;
        this.#awaiting.unshift(...awaiting);
        this.#options.onFailure(error);
      }
    }
    this.#isBuilding = false;
    // Asked for during the last build, and nothing came since it began.
    if (!hasFailed) for (const resolve of this.#awaiting.splice(0)) resolve();
    // Whatever it was: what changed must not wait for the next change.
    if (hasFailed) this.#buildIn(RETRY_MS);
  }

  async #build(): Promise<{ readonly tookMs: number; readonly hasFreed: boolean }> {
    const { clock, ports, className, recordedSpec = () => undefined } = this.#options;
    const startMs = clock.monotonicMs();
    ports.workload?.settle();
    // As it is now: what comes while this is built may be in it or not, and is in the next one.
    const hasUnread = this.#hasUnread;
    const horizon = this.#options.horizon?.();
    const breathe = breather(clock);
    const cluster = await this.#cluster.compile(breathe);
    const baselines = this.#baselines.of(cluster.baselines, cluster.labelsOf);
    const defaultsOf = (namespace: string): Defaults => baselines.of(namespace).defaults;
    const overridesOf = (namespace: string): OverrideSet | undefined => baselines.of(namespace).overrides;
    const budgets = new NamespaceBudgets(this.#options.namespaceBudget);
    const compiling: CompileOptions = { ports, className, recordedSpec, defaultsOf, budgets };
    const records = this.#policies.list();
    const thrown = await compileRecords(records, compiling, breathe);
    const compiled = await this.#namespaces.compile(records, breathe);
    const namespaces = new Map([...compiled].map(([namespace, { view }]) => [namespace, view]));
    const byCandidate = new Map<Candidate, PolicyRecord>();
    for (const record of records) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const { candidate } = record;
      // What a record that threw calls its newest is of an older spec: its last good one serves, or none.
      byCandidate.set(thrown.has(record) ? { ...candidate, newest: undefined } : candidate, record);
    }
    const candidates = [...byCandidate.keys()];
    const { grants, rule } = await this.#hostRule(cluster, candidates, breathe);
    const assignments = await assignHosts(candidates, rule, breathe);
    const version = (this.#snapshot?.version ?? 0) + 1;
    const inputs = { version, hasUnread, grants, assignments, namespaces, held: this.#held, overridesOf, breathe };
    const { snapshot, shadows } = await buildSnapshot(inputs);
    const reports: ObjectReport[] = [];
    const settled: [PolicyRecord, Assignment][] = [];
    const uids = new Set<string>();
    let hasFreed = false;
    for (const [candidate, assignment] of assignments) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const record = byCandidate.get(candidate);
      if (record === undefined) continue;
      settled.push([record, assignment]);
      uids.add(candidate.meta.uid);
      hasFreed ||= hasGivenUp(record, assignment);
      reports.push(
        policyReport({
          object: record.judged,
          candidate,
          assignment,
          problems: thrown.get(record) ?? record.problems,
          shadows: shadows.get(candidate) ?? [],
          overrides: overridesOf(candidate.meta.namespace),
          given: record.given,
          roles: compiled.get(candidate.meta.namespace)?.roles,
        }),
      );
    }
    const policies = { className, has: (namespace: string, name: string) => this.#policies.has({ namespace, name }) };
    for (const report of liveReports(compiled.values(), policies)) {
      await breathe();
      reports.push(report);
    }
    reports.push(...cluster.reports);
    // In one go, and nothing in it throws: what records hold for accepted is what serves, or a build that failed half-way
    // would leave a spec as the last good one that never served.
    for (const [record, assignment] of settled) record.settle(assignment);
    baselines.serve();
    this.#held.keepOnly(uids);
    this.#snapshot = snapshot;
    this.#settledVersion = cluster.version;
    const tookMs = clock.monotonicMs() - startMs;
    this.#options.onBuild({ snapshot, reports, horizon, tookMs });
    return { tookMs, hasFreed };
  }

  async #hostRule(
    cluster: CompiledCluster,
    candidates: readonly Candidate[],
    breathe: Breathe,
  ): Promise<{ readonly grants: HostGrants | undefined; readonly rule: HostRule }> {
    if (this.#options.hostGrants !== 'required') return { grants: undefined, rule: () => new FirstCome() };
    const grants = await HostGrants.of(cluster, breathe);
    const isFirst = this.#snapshot === undefined;
    const lapsed = await lapseClaims(grants, candidates, { isFirst, breathe });
    const areSettled = cluster.version !== undefined && cluster.version === this.#settledVersion;
    this.#settledVersion = undefined;
    return { grants, rule: () => new GrantedClaims({ grants, lapsed, areSettled }) };
  }
}

/** Whether the policy has less than it had: a host, or a path of it. */
function hasGivenUp({ accepted }: PolicyRecord, assignment: Assignment): boolean {
  if (accepted === undefined || accepted === assignment.serving) return false;
  const hosts = hostsOf(assignment);
  const paths = new Set(assignment.places.flatMap(({ templates }) => templates.map(({ source }) => source)));
  const { target } = accepted;
  return (
    target.hosts.some((host) => !hosts.includes(host)) || target.templates.some(({ source }) => !paths.has(source))
  );
}
