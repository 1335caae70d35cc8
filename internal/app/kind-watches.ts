import type { PolicySource } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { KubeConfig } from '../kube/client.ts';
import { Reflector } from '../kube/reflector.ts';
import type { Timers } from '../kube/timers.ts';
import { objectKey } from '../policy/object.ts';
import { GROUP, KINDS, type KindName, VERSION } from '../policy/resource/kinds.ts';
import type { PolicyStore } from '../policy/store.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { SourceTroubles } from './source-troubles.ts';

type Plural = (typeof KINDS)[KindName]['plural'];

export interface KindWatchesOptions {
  readonly kube: KubeConfig;
  readonly source: Extract<PolicySource, { kind: 'kube' }>;
  readonly className: string;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly metrics: Metrics;
  readonly troubles: SourceTroubles;
}

/** Feeds a store with the objects of every kind, of all namespaces or of those that are named. */
export class KindWatches {
  readonly #options: KindWatchesOptions;
  readonly #reflectors = new Map<Plural, Reflector[]>();

  constructor(options: KindWatchesOptions) {
    this.#options = options;
  }

  /** @param onListed told once every kind was listed in every namespace */
  start(store: PolicyStore, onListed: () => void): void {
    const { source, metrics } = this.#options;
    const namespaces = source.namespaces.length === 0 ? [undefined] : source.namespaces;
    let missing = namespaces.length * Object.keys(KINDS).length;
    const onSynced = (): void => {
      missing -= 1;
      if (missing === 0) onListed();
    };
    for (const { kind, plural } of Object.values(KINDS)) {
      const reflectors = namespaces.map((namespace) => this.#watch({ kind, plural, namespace }, store, onSynced));
      this.#reflectors.set(plural, reflectors);
      // A resource is watched once for each namespace: the quietest watch counts.
      metrics.read(
        'postern_watch_silence_seconds',
        () => Math.max(...reflectors.map(({ silenceS }) => silenceS)),
        plural,
      );
    }
  }

  stop(): void {
    for (const reflector of [...this.#reflectors.values()].flat()) reflector.stop();
  }

  #watch({ kind, plural, namespace }: Watched, store: PolicyStore, onSynced: () => void): Reflector {
    const { kube, source, className, clock, timers, metrics, troubles } = this.#options;
    const where = { resource: plural, place: namespace ?? '' };
    const isPolicy = kind === 'APIPolicy';
    const reflector = new Reflector({
      config: kube,
      resource: { group: GROUP, version: VERSION, plural },
      kind,
      namespace,
      labelSelector: isPolicy ? source.policySelector : undefined,
      fieldSelector: isPolicy ? `spec.className=${className}` : undefined,
      clock,
      random: Math.random,
      ...(timers && { timers }),
      onApply(object) {
        store.apply(object);
        troubles.end({ resource: plural, place: objectKey(object.metadata) });
      },
      onDelete(object) {
        store.delete(object.kind, object.metadata);
        troubles.end({ resource: plural, place: objectKey(object.metadata) });
      },
      onUnusable: ({ metadata }, why) => troubles.begin({ resource: plural, place: objectKey(metadata), why }),
      onSynced,
      onContact: () => troubles.end(where),
      onError(why, status) {
        metrics.count('postern_watch_restarts_total', plural);
        const isUnknown = status === 404;
        const said = isUnknown ? `the API server knows no ${plural}: apply deploy/crds first` : why;
        troubles.begin({ ...where, why: said });
      },
    });
    reflector.start();
    return reflector;
  }
}

interface Watched {
  readonly kind: string;
  readonly plural: Plural;
  readonly namespace: string | undefined;
}
