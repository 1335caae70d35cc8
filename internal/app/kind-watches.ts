import type { PolicySource } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { KubeConfig, Resource } from '../kube/client.ts';
import { isOutage } from '../kube/kube-error.ts';
import { Reflector } from '../kube/reflector.ts';
import { scopeOf } from '../kube/serving.ts';
import type { Timers } from '../kube/timers.ts';
import { grantingWatch } from '../kube/watch-grant.ts';
import { type ObjectMeta, objectKey } from '../policy/object.ts';
import { GROUP, KINDS, type KindName, VERSION } from '../policy/resource/kinds.ts';
import type { Horizon, PolicyFeed } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { AbsentNamespaces } from './absent-namespaces.ts';
import type { SourceTroubles } from './source-troubles.ts';

const FORBIDDEN = 403;
/** Whether a policy is accepted is said by itself, by grants and baselines, and by the labels these select by. */
const DECIDING: ReadonlySet<Plural> = new Set(['apipolicies', 'hostgrants', 'apibaselines', 'namespaces']);

type Plural = (typeof KINDS)[KindName]['plural'] | 'namespaces';

export interface KindWatchesOptions {
  readonly kube: KubeConfig;
  readonly source: Extract<PolicySource, { kind: 'kube' }>;
  readonly className: string;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly metrics: Metrics;
  readonly log: Log;
  readonly troubles: SourceTroubles;
  /** Whose token the API server is shown; undefined where it is not to be told. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
}

/** Feeds a store with the objects of every kind, of all namespaces or of those that are named. */
export class KindWatches {
  readonly #options: KindWatchesOptions;
  readonly #reflectors = new Map<Plural, Reflector[]>();
  /** Watches that the API server refuses for want of rights, each with what it said. */
  readonly #forbidden = new Map<Watched, string>();
  /** Of the policies, by the name that replicas give to what it shows. */
  readonly #scopes = new Map<string, Reflector>();
  /** Watches whose first list is not complete. */
  readonly #unlisted = new Set<Watched>();
  /** Policies that the store could not take. */
  readonly #untold = new Map<string, ObjectMeta>();
  readonly #absent: AbsentNamespaces;

  constructor(options: KindWatchesOptions) {
    this.#options = options;
    this.#absent = new AbsentNamespaces(options.log);
  }

  /** What is forbidden, a line for each place: one of its watches, and the commands that mend them all. */
  get forbidden(): string | undefined {
    const places = new Map([...this.#forbidden].map(([watched, why]) => [this.#granting(watched), why]));
    return places.size === 0 ? undefined : [...places].map(([granting, why]) => `${why}: ${granting}`).join('\n');
  }

  /** What was not read whole yet, `apiroles shop` each. */
  get unlisted(): readonly string[] {
    return [...this.#unlisted].map(({ plural, ...watched }) => {
      const place = placeOf(watched);
      return place === '' ? plural : `${plural} ${place}`;
    });
  }

  /** @param onListed told once every kind was listed in every namespace */
  start(store: PolicyFeed, onListed: () => void): void {
    const { metrics } = this.#options;
    const watched = Map.groupBy(this.#watched(), ({ plural }) => plural);
    for (const one of [...watched.values()].flat()) this.#unlisted.add(one);
    const listed = (one: Watched): void => {
      this.#unlisted.delete(one);
      if (this.#unlisted.size === 0) onListed();
    };
    for (const [plural, all] of watched) {
      const reflectors = all.map((one) =>
        this.#watch(one, store, () => {
          if (one.objectName !== undefined) this.#absent.check(one.objectName);
          listed(one);
        }),
      );
      this.#reflectors.set(plural, reflectors);
      // A resource is watched once for each namespace: the quietest watch counts.
      metrics.read(
        'postern_watch_silence_seconds',
        () => reflectors.reduce((longest, { silenceS }) => Math.max(longest, silenceS), 0),
        plural,
      );
    }
  }

  /** The watch that shows the policies of a namespace, by its name. */
  scope(namespace: string): string {
    const { namespaces, policySelector } = this.#options.source;
    return scopeOf(namespaces.length === 0 ? undefined : namespace, policySelector);
  }

  /** How far the watches of policies have come. */
  horizon(): Horizon {
    return Object.fromEntries([...this.#scopes].map(([scope, { version }]) => [scope, version]));
  }

  /** Policies that no build tells of, for the store could not take them. */
  get untold(): Iterable<ObjectMeta> {
    return this.#untold.values();
  }

  /** Lists what decides whether policies are accepted, or everything, anew; resolves when the store was told of it. */
  async relist(what: 'what decides' | 'everything'): Promise<void> {
    const chosen = [...this.#reflectors].filter(([plural]) => what === 'everything' || DECIDING.has(plural));
    await Promise.all(chosen.flatMap(([, reflectors]) => reflectors).map((reflector) => reflector.relist()));
  }

  stop(): void {
    for (const reflector of [...this.#reflectors.values()].flat()) reflector.stop();
  }

  /** What is of the cluster is watched once, and of Namespaces only those whose policies are served. */
  #watched(): readonly Watched[] {
    const { source, className } = this.#options;
    const everywhere: Pick<Watched, 'namespace'> = { namespace: undefined };
    const named = source.namespaces.map((namespace) => ({ namespace }));
    const places = named.length === 0 ? [everywhere] : named;
    const ofKinds = Object.values(KINDS).flatMap(({ kind, plural, scope }): Watched[] => {
      const selectors =
        kind === 'APIPolicy'
          ? { labelSelector: source.policySelector, fieldSelector: `spec.className=${className}` }
          : {};
      const resource = { group: GROUP, version: VERSION, plural };
      return (scope === 'Cluster' ? [everywhere] : places).map((place) => ({
        kind,
        plural,
        resource,
        ...selectors,
        ...place,
      }));
    });
    const ofNamespaces = places.map(({ namespace }): Watched => {
      const one = namespace === undefined ? {} : { objectName: namespace, fieldSelector: `metadata.name=${namespace}` };
      return { kind: 'Namespace', plural: 'namespaces', resource: NAMESPACES, namespace: undefined, ...one };
    });
    return [...ofKinds, ...ofNamespaces];
  }

  /** The commands that let this agent watch all that it watches at the place of one watch. */
  #granting({ namespace, objectName }: Watched): string {
    const there = this.#watched().filter((one) => one.namespace === namespace && one.objectName === objectName);
    const resources = there.map(({ resource: { group, plural } }) => (group === '' ? plural : `${plural}.${group}`));
    return grantingWatch(resources, { namespace, objectName, account: this.#options.account });
  }

  #watch(watched: Watched, store: PolicyFeed, onSynced: () => void): Reflector {
    const { kube, clock, timers, metrics, troubles } = this.#options;
    const { kind, plural, resource, namespace, labelSelector, fieldSelector, objectName } = watched;
    const forbidden = this.#forbidden;
    const isPolicy = kind === 'APIPolicy';
    const untold = this.#untold;
    const granting = (): string => this.#granting(watched);
    const where = { resource: plural, place: placeOf(watched) };
    const reflector = new Reflector({
      config: kube,
      resource,
      kind,
      namespace,
      labelSelector,
      fieldSelector,
      clock,
      random: Math.random,
      ...(timers && { timers }),
      onApply: (object) => {
        store.apply(object);
        if (objectName !== undefined) this.#absent.came(objectName);
        untold.delete(object.metadata.uid);
        troubles.end({ resource: plural, place: objectKey(object.metadata) });
      },
      onDelete: (object) => {
        store.delete(object.kind, object.metadata);
        if (objectName !== undefined) this.#absent.went(objectName);
        untold.delete(object.metadata.uid);
        troubles.end({ resource: plural, place: objectKey(object.metadata) });
      },
      onUnusable: ({ metadata }, why) => {
        if (isPolicy) untold.set(metadata.uid, metadata);
        troubles.begin({ resource: plural, place: objectKey(metadata), why });
      },
      onSynced,
      onContact: () => {
        forbidden.delete(watched);
        troubles.end(where);
      },
      onError(why, status) {
        metrics.count('postern_watch_restarts_total', plural);
        const isForbidden = status === FORBIDDEN;
        const said = isForbidden ? `${why}: ${granting()}` : why;
        if (isForbidden) forbidden.set(watched, why);
        const isUnknown = status === 404;
        troubles.begin({
          ...where,
          why: isUnknown ? `the API server knows no ${plural}: apply deploy/crds first` : said,
          outage: isOutage(status) ? why : undefined,
        });
      },
    });
    if (isPolicy) this.#scopes.set(this.scope(namespace ?? ''), reflector);
    reflector.start();
    return reflector;
  }
}

/** Where something is watched, for people. */
const placeOf = ({ namespace, fieldSelector = '' }: Pick<Watched, 'namespace' | 'fieldSelector'>): string =>
  namespace ?? fieldSelector;

/** What a source waits for, in words. */
export const notListed = (unlisted: readonly string[]): string => `not listed yet: ${unlisted.join(', ')}`;

interface Watched {
  readonly kind: string;
  readonly plural: Plural;
  readonly resource: Resource;
  readonly namespace: string | undefined;
  /** The one object that is watched, by its name. */
  readonly objectName?: string | undefined;
  readonly labelSelector?: string | undefined;
  readonly fieldSelector?: string | undefined;
}

const NAMESPACES: Resource = { group: '', version: 'v1', plural: 'namespaces' };
