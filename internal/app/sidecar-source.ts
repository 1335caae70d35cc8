import type { SidecarRole } from '../config/config.ts';
import { unpackSpec } from '../kube/accepted-spec.ts';
import { type KubeConfig, ownAccount, serverOf } from '../kube/client.ts';
import { watchPodLabels } from '../kube/pod-labels.ts';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import type { SourceObject } from '../policy/object.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import type { Build, PolicyFeed } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import { KindWatches, notListed } from './kind-watches.ts';
import type { KubeSourceOptions } from './kube-source.ts';
import { sidecarSecrets } from './sidecar-secrets.ts';
import type { Cluster, PolicySourceAdapter } from './source.ts';
import { SourceTroubles } from './source-troubles.ts';
import { UnacceptedLines } from './unaccepted-lines.ts';

export interface SidecarSourceOptions extends KubeSourceOptions {
  readonly role: Extract<SidecarRole, { kind: 'agent' }>;
  /** Of the Pod, as they were read at the start. */
  readonly labels: PodLabels;
}

/**
 * What a sidecar reads of a cluster: the objects of its namespace and the labels of its Pod. It writes nothing, holds no
 * Lease and asks for no Secrets, so that there may be thousands, each with the rights of its Pod's neighbours.
 */
export class SidecarSource implements PolicySourceAdapter {
  readonly cluster: Cluster;
  readonly #options: SidecarSourceOptions;
  readonly #kinds: KindWatches;
  readonly #troubles: SourceTroubles;
  readonly #unaccepted: UnacceptedLines;
  #labels: { stop(): void } | undefined = undefined;

  constructor(kube: KubeConfig, options: SidecarSourceOptions) {
    const { log, clock, config } = options;
    this.#options = options;
    this.cluster = { apiServer: serverOf(kube), context: kube.getCurrentContext() };
    this.#troubles = new SourceTroubles(log, options.timers);
    this.#unaccepted = new UnacceptedLines(log, clock);
    const { className } = config;
    this.#kinds = new KindWatches({ ...options, kube, troubles: this.#troubles, className, account: ownAccount(kube) });
  }

  secrets(): SecretLookup {
    return sidecarSecrets;
  }

  recordedSpec = (object: SourceObject): RecordedSpec | undefined => unpackSpec(object, this.#options.config.className);

  problems = (): readonly string[] => this.#troubles.lines;

  /** Also when it happens later: what a Pod may not read any more, it must not go on deciding by for ever. */
  notReady = (): string | undefined => this.#kinds.forbidden;

  awaited = (): string | undefined => {
    const { unlisted } = this.#kinds;
    return unlisted.length === 0 ? undefined : [notListed(unlisted), ...this.#troubles.causes].join('\n');
  };

  start(store: PolicyFeed): Promise<void> {
    const { log, role, labels, timers } = this.#options;
    this.#kinds.start(store, () => {
      this.#troubles.isSynced = true;
      store.complete();
    });
    const file = role.labelsFile;
    this.#labels = watchPodLabels({
      path: file,
      first: labels,
      timers,
      onChange(next) {
        log.info('The labels of this Pod are others: other policies may select it', { file });
        store.relabel(next);
      },
      onError: (why) => log.warn('The labels of this Pod cannot be read; those that were read stay', { why }),
      onRecovery: () => log.info('The labels of this Pod can be read again', { file }),
    });
    return Promise.resolve();
  }

  report({ reports }: Pick<Build, 'reports'>): void {
    void this.#unaccepted.tell(reports);
  }

  stop(): Promise<void> {
    this.#kinds.stop();
    this.#labels?.stop();
    this.#troubles.stop();
    return Promise.resolve();
  }
}
