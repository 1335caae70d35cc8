import { setTimeout as sleep } from 'node:timers/promises';
import { Builder, type BuilderOptions } from './builder.ts';
import { ClusterObjects, isClusterKind } from './cluster-objects.ts';
import { isLiveKind } from './namespace-objects.ts';
import { Namespaces, type NamespacesOptions } from './namespaces.ts';
import type { SourceObject } from './object.ts';
import type { ObjectReport } from './object-report.ts';
import { PolicyRecords } from './policy-records.ts';
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

export interface StoreOptions extends BuilderOptions, NamespacesOptions {
  /** Whether the source gives Namespaces, so that one whose object has not come has unknown labels. */
  readonly hasNamespaces?: boolean;
  /** Whether every Namespace of the cluster is among them. */
  readonly hasEveryNamespace?: boolean;
  /** Where the source is now; only where it has a history. */
  readonly horizon?: () => Horizon | undefined;
  /** Told that a build begins: what is given from now on may be in it or in the next one. */
  readonly onBegin?: () => void;
  /** Told that nothing is left to build. */
  readonly onSettled?: () => void;
  /** Told of every new snapshot, after it is current. */
  readonly onBuild: (build: Build) => void;
  /** A build that threw: the old snapshot stays. */
  readonly onFailure: (error: unknown) => void;
  /** Waits so many milliseconds between builds; never rejects. */
  readonly rest?: (ms: number) => Promise<void>;
}

/** What a source gives its objects to. */
export type PolicyFeed = Pick<
  PolicyStore,
  'apply' | 'delete' | 'secretChanged' | 'complete' | 'setUnread' | 'relabel' | 'caughtUp' | 'secretNames'
>;

/** Changes that come together are built together. */
const SETTLE_MS = 5;
/** A build that failed is tried again after so long. */
const RETRY_MS = 1000;
/** Between builds that follow each other is a rest: so many times as long as the last one took, and no longer than this. */
const RESTS = 4;
const LONGEST_REST_MS = 1000;

/** How long who changes things all the time waits behind a build that took so long: checks have the rest. */
export const restAfterMs = (tookMs: number): number => Math.min(RESTS * tookMs, LONGEST_REST_MS);

/**
 * Holds the objects as their source gave them and keeps the current snapshot: built aside, in slices, swapped whole.
 * What cannot be built leaves the old one in place.
 */
export class PolicyStore {
  readonly #options: StoreOptions;
  readonly #policies: PolicyRecords;
  readonly #namespaces: Namespaces;
  readonly #cluster: ClusterObjects;
  readonly #builder: Builder;
  readonly #rest: (ms: number) => Promise<void>;
  #snapshot: Snapshot | undefined = undefined;
  #isComplete = false;
  #hasUnread = false;
  #isBuilding = false;
  #isChanged = false;
  #timer: NodeJS.Timeout | undefined = undefined;
  /** Who waits until all that was given so far serves. */
  #awaiting: (() => void)[] = [];

  constructor(options: StoreOptions) {
    this.#options = options;
    this.#rest = options.rest ?? ((ms) => sleep(ms));
    this.#policies = new PolicyRecords(options.className);
    this.#namespaces = new Namespaces(options);
    const { ports, hasNamespaces = false, hasEveryNamespace = false, recordedSpec = () => undefined } = options;
    this.#cluster = new ClusterObjects({ hasNamespaces, hasEveryNamespace, recordedSpec, ports });
    const objects = { policies: this.#policies, namespaces: this.#namespaces, cluster: this.#cluster };
    this.#builder = new Builder(options, objects);
  }

  /** The snapshot that checks read; undefined before the first full build. */
  get current(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Whether everything that was given so far serves. */
  get isSettled(): boolean {
    return !this.#isChanged && !this.#isBuilding;
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
    if (this.isSettled) return Promise.resolve();
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
    let isGiving = false;
    while (this.#isChanged) {
      this.#isChanged = false;
      hasFailed = false;
      const awaiting = this.#awaiting.splice(0);
      try {
        const { tookMs, hasFreed } = await this.#build();
        for (const resolve of awaiting) resolve();
        // What was given up was still held in this build: the next one gives it to whoever asked.
        if (hasFreed) this.#isChanged = true;
        // At once, and once: who gives up something in every build would have no rest between any of them.
        isGiving = hasFreed && !isGiving;
        // Who changes things all the time has a part of the time built for him; checks have the rest.
        if (this.#isChanged && !isGiving && tookMs > 0) await this.#rest(restAfterMs(tookMs));
      } catch (error) {
        hasFailed = true;
        this.#awaiting = [...awaiting, ...this.#awaiting];
        this.#options.onFailure(error);
      }
    }
    this.#isBuilding = false;
    // Asked for during the last build, and nothing came since it began.
    if (!hasFailed) for (const resolve of this.#awaiting.splice(0)) resolve();
    // Whatever it was: what changed must not wait for the next change.
    if (hasFailed) this.#buildIn(RETRY_MS);
    else this.#options.onSettled?.();
  }

  async #build(): Promise<{ readonly tookMs: number; readonly hasFreed: boolean }> {
    const startMs = this.#options.clock.monotonicMs();
    this.#options.onBegin?.();
    // As it is now: what comes while this is built may be in it or not, and is in the next one.
    const horizon = this.#options.horizon?.();
    const { snapshot, reports, hasFreed, serve } = await this.#builder.build(this.#hasUnread);
    serve();
    this.#snapshot = snapshot;
    const tookMs = this.#options.clock.monotonicMs() - startMs;
    this.#options.onBuild({ snapshot, reports, horizon, tookMs });
    return { tookMs, hasFreed };
  }
}
