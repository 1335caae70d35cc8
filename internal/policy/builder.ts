import { type Breathe, breather } from '../core/breather.ts';
import type { Clock } from '../core/clock.ts';
import type { Problem } from '../core/problem.ts';
import { type Assignment, assignHosts, type Candidate, hostsOf } from './assign.ts';
import { type BaselinesOfBuild, BaselineView } from './baselines/baseline-view.ts';
import { HeldPolicies } from './baselines/held-policies.ts';
import { buildSnapshot } from './build-snapshot.ts';
import { boundClaims } from './claim-bounds.ts';
import type { HostRule } from './claiming.ts';
import type { ClusterObjects, CompiledCluster } from './cluster-objects.ts';
import type { PolicyPorts } from './compile-policy.ts';
import { compileRecords, type Thrown } from './compile-records.ts';
import { FirstCome } from './first-come.ts';
import { GrantedClaims } from './granted-claims.ts';
import type { Shadow } from './host-drafts.ts';
import { HostGrants } from './host-grants.ts';
import { lapseClaims } from './lapsed-claims.ts';
import { type NamespaceBudget, NamespaceBudgets } from './namespace-budgets.ts';
import type { CompiledNamespace } from './namespace-objects.ts';
import type { Namespaces } from './namespaces.ts';
import { liveReports, type ObjectReport, policyReport } from './object-report.ts';
import type { PolicyRecord } from './policy-record.ts';
import type { PolicyRecords } from './policy-records.ts';
import type { RecordReader } from './recorded-spec.ts';
import type { Snapshot } from './snapshot.ts';
import { comparable } from './too-many-pairs.ts';

export interface BuilderOptions {
  readonly ports: PolicyPorts;
  /** Policies of other classes are somebody else's. */
  readonly className: string;
  /** Who may claim a host: whom a HostGrant names, or who comes first (the default). */
  readonly hostGrants?: 'required' | 'first-come';
  /** What the policies of each namespace may come to; undefined: as much as they like. */
  readonly namespaceBudget?: NamespaceBudget | undefined;
  /** Reads back what an object carries of the last spec that was accepted: only where objects come from a cluster. */
  readonly recordedSpec?: RecordReader;
  readonly clock: Clock;
}

/** What snapshots are built of; a source may change any of it at any time. */
export interface StoredObjects {
  readonly policies: PolicyRecords;
  readonly namespaces: Namespaces;
  readonly cluster: ClusterObjects;
}

/** A snapshot that nobody reads yet. */
export interface Built {
  readonly snapshot: Snapshot;
  readonly reports: readonly ObjectReport[];
  /** A policy has given up what it still held in this one: the next one gives it to whoever asked. */
  readonly hasFreed: boolean;
  /**
   * Makes it what the next one begins with, in one go; nothing in it throws. What records hold for accepted is what
   * serves, or a build that failed half-way would leave a spec as the last good one that never served.
   */
  serve(): void;
}

/** A policy as one build judged it. */
interface Settled {
  readonly record: PolicyRecord;
  readonly candidate: Candidate;
  readonly assignment: Assignment;
  readonly problems: readonly Problem[];
  /** What it does not get of its target. */
  readonly shadows: readonly Shadow[];
}

/** What a build has compiled of its objects. */
interface Compiled {
  readonly cluster: CompiledCluster;
  readonly baselines: BaselinesOfBuild;
  /** What was thrown at a record. */
  readonly thrown: Thrown;
  readonly namespaces: ReadonlyMap<string, CompiledNamespace>;
}

/** Builds snapshots of the objects of a store, in slices, each with what the ones before it served. */
export class Builder {
  readonly #options: BuilderOptions;
  readonly #objects: StoredObjects;
  readonly #baselines = new BaselineView();
  readonly #held: HeldPolicies;
  /** Of the snapshot that serves; 0 before the first one. */
  #version = 0;
  /** Version of the cluster's objects by which every policy was last assigned; undefined while that is not sure. */
  #settledVersion: number | undefined = undefined;

  constructor(options: BuilderOptions, objects: StoredObjects) {
    this.#options = options;
    this.#objects = objects;
    this.#held = new HeldPolicies(options.ports.limits);
  }

  /** @param hasUnread something of a source was never read */
  async build(hasUnread: boolean): Promise<Built> {
    const { clock, ports } = this.#options;
    ports.workload?.settle();
    const breathe = breather(clock);
    const records = this.#objects.policies.list();
    const compiled = await this.#compile(records, breathe);
    const { cluster, baselines, thrown } = compiled;
    const unbounded = new Map<Candidate, PolicyRecord>();
    for (const record of records) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const candidate = this.#options.hostGrants === 'required' ? comparable(record.candidate) : record.candidate;
      // What a record that threw calls its newest is of an older spec: its last good one serves, or none.
      unbounded.set(thrown.has(record) ? { ...candidate, newest: undefined } : candidate, record);
    }
    const bounded = await boundClaims(unbounded, this.#options.namespaceBudget?.policies, breathe);
    const byCandidate = bounded.candidates;
    const candidates = [...byCandidate.keys()];
    const { grants, rule } = await this.#hostRule(cluster, candidates, breathe);
    const assignments = await assignHosts(candidates, rule, breathe);
    const { snapshot, shadows } = await buildSnapshot({
      version: this.#version + 1,
      hasUnread,
      grants,
      assignments,
      namespaces: new Map([...compiled.namespaces].map(([namespace, { view }]) => [namespace, view])),
      held: this.#held,
      overridesOf: (namespace) => baselines.of(namespace).overrides,
      breathe,
    });
    const settled: Settled[] = [];
    const reports: ObjectReport[] = [];
    for (const [candidate, assignment] of assignments) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const record = byCandidate.get(candidate);
      if (record === undefined) continue;
      const problems = [...(thrown.get(record) ?? record.problems), ...bounded.problemsOf(candidate)];
      const one: Settled = { record, candidate, assignment, problems, shadows: shadows.get(candidate) ?? [] };
      settled.push(one);
      reports.push(reportOf(one, compiled));
    }
    await this.#reportOthers(compiled, { reports, breathe });
    return {
      snapshot,
      reports,
      hasFreed: settled.some(({ record, assignment }) => hasGivenUp(record, assignment)),
      serve: () => this.#serve(snapshot, settled, compiled),
    };
  }

  async #compile(records: readonly PolicyRecord[], breathe: Breathe): Promise<Compiled> {
    const { ports, className, namespaceBudget, recordedSpec = () => undefined } = this.#options;
    const cluster = await this.#objects.cluster.compile(breathe);
    const baselines = this.#baselines.of(cluster.baselines, cluster.labelsOf);
    const defaultsOf = (namespace: string) => baselines.of(namespace).defaults;
    const budgets = new NamespaceBudgets(namespaceBudget);
    const thrown = await compileRecords(records, { ports, className, recordedSpec, defaultsOf, budgets }, breathe);
    const namespaces = await this.#objects.namespaces.compile(records, breathe);
    return { cluster, baselines, thrown, namespaces };
  }

  async #hostRule(
    cluster: CompiledCluster,
    candidates: readonly Candidate[],
    breathe: Breathe,
  ): Promise<{ readonly grants: HostGrants | undefined; readonly rule: HostRule }> {
    if (this.#options.hostGrants !== 'required') return { grants: undefined, rule: () => new FirstCome() };
    const grants = await HostGrants.of(cluster, breathe);
    const lapsed = await lapseClaims(grants, candidates, { isFirst: this.#version === 0, breathe });
    const areSettled = cluster.version !== undefined && cluster.version === this.#settledVersion;
    this.#settledVersion = undefined;
    return { grants, rule: () => new GrantedClaims({ grants, lapsed, areSettled }) };
  }

  /** Adds those of everything but policies: one by one, for a call takes only so many arguments as the stack has room for. */
  async #reportOthers(
    { namespaces, cluster }: Compiled,
    { reports, breathe }: { readonly reports: ObjectReport[]; readonly breathe: Breathe },
  ): Promise<void> {
    const { policies } = this.#objects;
    const { className } = this.#options;
    const known = { className, has: (namespace: string, name: string) => policies.has({ namespace, name }) };
    for (const report of liveReports(namespaces.values(), known)) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      reports.push(report);
    }
    for (const report of cluster.reports) reports.push(report);
  }

  #serve({ version }: Snapshot, settled: readonly Settled[], { baselines, cluster }: Compiled): void {
    for (const { record, assignment } of settled) record.settle(assignment);
    baselines.serve();
    this.#held.keepOnly(new Set(settled.map(({ candidate }) => candidate.meta.uid)));
    this.#version = version;
    this.#settledVersion = cluster.version;
  }
}

function reportOf(
  { record, candidate, assignment, problems, shadows }: Settled,
  { baselines, namespaces }: Compiled,
): ObjectReport {
  const { namespace } = candidate.meta;
  return policyReport({
    object: record.judged,
    candidate,
    assignment,
    problems,
    shadows,
    overrides: baselines.of(namespace).overrides,
    given: record.given,
    roles: namespaces.get(namespace)?.roles,
  });
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
