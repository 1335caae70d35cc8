import { type Breathe, inSlices, type Steps } from '../core/breather.ts';
import type { ProblemList } from '../core/problem.ts';
import {
  compileLabelSelector,
  type LabelMatcher,
  type LabelSelectorSpec,
  type Labels,
} from '../match/label-selector.ts';
import type { Baseline } from './baselines/baseline-view.ts';
import { type CompiledBaseline, compileBaseline } from './baselines/compile-baseline.ts';
import type { PolicyPorts } from './compile-policy.ts';
import { LastGood, type SpecCompiler } from './last-good.ts';
import type { ObjectMeta, SourceObject } from './object.ts';
import type { ObjectReport } from './object-report.ts';
import type { RecordReader } from './recorded-spec.ts';
import { type HostGrantSpec, hostGrantSpec } from './resource/host-grant.ts';
import { parseSpec } from './resource/parse-spec.ts';
import { NAME_LABEL, SelectedNamespaces, selectsNobody } from './selected-namespaces.ts';

/** A spec of the cluster that serves, and which namespaces it is for. */
export interface Selecting<S> {
  readonly meta: ObjectMeta;
  readonly spec: S;
  readonly selects: LabelMatcher;
}

/** What is of the cluster, as one snapshot has it. */
export interface CompiledCluster {
  readonly grants: readonly Selecting<HostGrantSpec>[];
  readonly baselines: readonly Baseline[];
  /** Labels of a namespace; undefined where nobody has said yet which it has. */
  labelsOf(namespace: string): Labels | undefined;
  readonly reports: readonly ObjectReport[];
  /** The same for as long as nothing of the cluster changes; undefined where something changed while it was compiled. */
  readonly version: number | undefined;
}

type CompiledGrant = Omit<Selecting<HostGrantSpec>, 'meta'>;
type ClusterKind = 'HostGrant' | 'APIBaseline' | 'Namespace';

const CLUSTER_KINDS: readonly string[] = ['HostGrant', 'APIBaseline', 'Namespace'] satisfies readonly ClusterKind[];
export const isClusterKind = (kind: string): kind is ClusterKind => CLUSTER_KINDS.includes(kind);

export interface ClusterObjectsOptions {
  /** Whether namespaces are objects too, whose labels are unknown until they come; in files they need not be written. */
  readonly hasNamespaces: boolean;
  /** Every namespace of the cluster is among them, so that whoever selects none of them selects nobody. */
  readonly hasEveryNamespace: boolean;
  readonly recordedSpec: RecordReader;
  /** What baselines are compiled with, as policies are. */
  readonly ports: PolicyPorts;
}

/** HostGrants, APIBaselines and Namespaces, as their source gave them. */
export class ClusterObjects {
  readonly #options: ClusterObjectsOptions;
  readonly #grants = new Map<string, LastGood<CompiledGrant>>();
  readonly #baselines = new Map<string, LastGood<CompiledBaseline>>();
  readonly #namespaces = new Map<string, Labels>();
  readonly #selected = new SelectedNamespaces();
  /** What selects no namespace, as long as nothing changes. */
  #nobodys: { readonly version: number; readonly metas: ReadonlySet<ObjectMeta> } | undefined = undefined;
  /** Counts every change. */
  #version = 0;

  constructor(options: ClusterObjectsOptions) {
    this.#options = options;
  }

  /** @returns whether it says something new: nothing but labels is read of a Namespace, which others write often */
  apply(kind: ClusterKind, object: SourceObject): boolean {
    if (kind === 'HostGrant') take(this.#grants, object);
    else if (kind === 'APIBaseline') take(this.#baselines, object);
    else if (!this.#label(object.metadata)) return false;
    this.#version += 1;
    return true;
  }

  delete(kind: ClusterKind, name: string): void {
    this.#version += 1;
    if (kind === 'HostGrant') this.#grants.delete(name);
    else if (kind === 'APIBaseline') this.#baselines.delete(name);
    else this.#namespaces.delete(name);
  }

  #label({ name, labels = {} }: ObjectMeta): boolean {
    const before = this.#namespaces.get(name);
    this.#namespaces.set(name, labels);
    return before === undefined || JSON.stringify(before) !== JSON.stringify(labels);
  }

  /** @param breathe awaited between objects */
  async compile(breathe: Breathe): Promise<CompiledCluster> {
    const reports: ObjectReport[] = [];
    const begun = this.#version;
    const { ports } = this.#options;
    const grants = await this.#read(this.#grants, () => readGrant, { reports, breathe });
    const compilerOf =
      (name: string): SpecCompiler<CompiledBaseline> =>
      (spec, problems) =>
        compileBaseline(spec, { name, ports }, problems);
    const baselines = await this.#read(this.#baselines, compilerOf, { reports, breathe });
    const labels = new Map(this.#namespaces);
    const { hasNamespaces } = this.#options;
    const labelsOf = (namespace: string): Labels | undefined => {
      const given = labels.get(namespace);
      if (given === undefined && hasNamespaces) return undefined;
      return { ...given, [NAME_LABEL]: namespace };
    };
    const known = { names: () => labels.keys(), labelsOf };
    const nobodys = await this.#selectingNobody([...grants, ...baselines], known, { begun, breathe });
    return {
      grants,
      baselines,
      labelsOf,
      reports: reports.map((report) => withNobody(report, nobodys)),
      version: begun === this.#version ? begun : undefined,
    };
  }

  async #selectingNobody(
    selectors: Parameters<SelectedNamespaces['selectingNobody']>[0],
    known: Parameters<SelectedNamespaces['selectingNobody']>[1],
    { begun, breathe }: { readonly begun: number; readonly breathe: Breathe },
  ): Promise<ReadonlySet<ObjectMeta>> {
    if (!this.#options.hasEveryNamespace) return NONE;
    if (this.#nobodys?.version === begun) return this.#nobodys.metas;
    const metas = await this.#selected.selectingNobody(selectors, known, breathe);
    this.#nobodys = begun === this.#version ? { version: begun, metas } : undefined;
    return metas;
  }

  async #read<S>(
    records: ReadonlyMap<string, LastGood<S>>,
    compilerOf: (name: string) => SpecCompiler<S>,
    { reports, breathe }: { readonly reports: ObjectReport[]; readonly breathe: Breathe },
  ): Promise<(S & { readonly meta: ObjectMeta })[]> {
    const serving: (S & { readonly meta: ObjectMeta })[] = [];
    for (const [name, record] of records) {
      await inSlices(record.read(compilerOf(name), this.#options.recordedSpec), breathe);
      reports.push(record.report);
      if (record.serving !== undefined) serving.push({ meta: record.report.object.metadata, ...record.serving });
    }
    return serving;
  }
}

const NONE: ReadonlySet<ObjectMeta> = new Set();

/**
 * Before all else: for nobody, whatever else is said of it means nothing. Only of the newest spec: what an older one
 * selects is not what the object says.
 */
function withNobody(report: ObjectReport, nobodys: ReadonlySet<ObjectMeta>): ObjectReport {
  const { object, isAccepted, problems } = report;
  if (!isAccepted || !nobodys.has(object.metadata)) return report;
  const { namespaceSelector } = object.spec as { readonly namespaceSelector: LabelSelectorSpec };
  return { ...report, problems: [selectsNobody(namespaceSelector), ...problems] };
}

/** What is made anew under its old name is another object: it inherits no last good spec. */
function take<S>(records: Map<string, LastGood<S>>, object: SourceObject): void {
  const { name, uid } = object.metadata;
  const known = records.get(name);
  if (known?.object.metadata.uid === uid) known.object = object;
  else records.set(name, new LastGood(object));
}

function* readGrant(given: unknown, problems: ProblemList): Steps<CompiledGrant | undefined> {
  yield;
  const spec = parseSpec(hostGrantSpec, given, problems);
  return spec && { spec, selects: compileLabelSelector(spec.namespaceSelector) };
}
