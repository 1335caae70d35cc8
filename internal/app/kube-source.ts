import type { Config, PolicySource } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { DIGEST_ANNOTATION } from '../crd/generate.ts';
import { unpackSpec } from '../kube/accepted-spec.ts';
import { type KubeConfig, loadKubeConfig, ownAccount, ownNamespace, serverOf } from '../kube/client.ts';
import { InstalledSchemas } from '../kube/installed-schemas.ts';
import { isOutage } from '../kube/kube-error.ts';
import { SecretWatches } from '../kube/secret-watches.ts';
import { ServerAddresses } from '../kube/server-addresses.ts';
import { StatusReporter } from '../kube/status-reporter.ts';
import type { Timers } from '../kube/timers.ts';
import { type UnansweredClass, UnansweredClasses } from '../kube/unanswered-classes.ts';
import type { SourceObject } from '../policy/object.ts';
import { secretLookup } from '../policy/offered-secret.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import type { Build, ObjectReport, PolicyFeed } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { KindWatches, notListed } from './kind-watches.ts';
import { outdatedLine, schemaDigests, withOutdated } from './outdated-schemas.ts';
import { Replica } from './replica.ts';
import { withSelectorConflicts } from './selector-conflicts.ts';
import { sidecarSecrets } from './sidecar-secrets.ts';
import { SidecarSource } from './sidecar-source.ts';
import type { Cluster, PolicySourceAdapter } from './source.ts';
import { SourceTroubles } from './source-troubles.ts';
import { StatusTroubles } from './status-troubles.ts';
import { UnacceptedLines } from './unaccepted-lines.ts';
import { unansweredLine } from './unanswered-lines.ts';

export interface KubeSourceOptions {
  readonly config: Config;
  readonly source: Extract<PolicySource, { kind: 'kube' }>;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly timers?: Timers;
  /** Of the Pod, where this is a sidecar; undefined elsewhere. */
  readonly labels: PodLabels | undefined;
}

/** Reads how the cluster is reached; nothing is asked of it before `start`. */
export function createKubeSource(options: KubeSourceOptions): {
  readonly adapter: PolicySourceAdapter;
  readonly forbidden: ServerAddresses;
} {
  const kube = loadKubeConfig(options.source.kubeconfig);
  const server = serverOf(kube);
  const forbidden = new ServerAddresses({ server, clock: options.clock });
  // Known when policies come, an address that one of them writes is a problem in its status already.
  void forbidden.refresh();
  return { adapter: adapterOf(kube, options), forbidden };
}

function adapterOf(kube: KubeConfig, options: KubeSourceOptions): PolicySourceAdapter {
  const { labels } = options;
  const { sidecar: role } = options.config;
  if (role?.kind !== 'agent') return new KubeSource(kube, options);
  if (labels === undefined) throw new Error('A sidecar was given no labels of its Pod');
  return new SidecarSource(kube, { ...options, role, labels });
}

class KubeSource implements PolicySourceAdapter {
  readonly cluster: Cluster;
  readonly #options: KubeSourceOptions;
  readonly #kinds: KindWatches;
  readonly #secrets: SecretWatches;
  readonly #status: StatusReporter;
  readonly #replica: Replica;
  readonly #schemas: InstalledSchemas;
  readonly #classes: UnansweredClasses;
  readonly #troubles: SourceTroubles;
  readonly #account: ReturnType<typeof ownAccount>;
  readonly #unaccepted: UnacceptedLines;
  #store: PolicyFeed | undefined = undefined;
  #reports: readonly ObjectReport[] = [];
  /** Names of definitions that are not of this version. */
  #outdated: ReadonlySet<string> = new Set();
  /** A line for each class that policies name and nobody serves. */
  #unanswered: readonly string[] = [];

  constructor(kube: KubeConfig, options: KubeSourceOptions) {
    this.#options = options;
    this.#account = ownAccount(kube);
    this.cluster = { apiServer: serverOf(kube), context: kube.getCurrentContext() };
    const { config, clock, metrics, log, timers } = options;
    const troubles = new SourceTroubles(log, timers);
    this.#troubles = troubles;
    this.#unaccepted = new UnacceptedLines(log, clock);
    const common = { config: kube, clock, random: Math.random, ...(timers && { timers }) };
    this.#kinds = new KindWatches({ ...options, kube, troubles, className: config.className, account: this.#account });
    this.#secrets = new SecretWatches({
      ...common,
      onChange: (namespace) => this.#store?.secretChanged(namespace),
      onError(place, why, status) {
        metrics.count('postern_watch_restarts_total', 'secrets');
        troubles.begin({ resource: 'secrets', place, why, outage: isOutage(status) ? why : undefined });
      },
      onRecovery: (place) => troubles.end({ resource: 'secrets', place }),
    });
    this.#replica = new Replica({
      ...common,
      kube,
      className: config.className,
      namespace: ownNamespace(kube),
      account: this.#account,
      log,
      troubles,
      kinds: this.#kinds,
      onWriter: (isWriter) => this.#setWriter(isWriter),
      onReplicas: () => this.#status.replicasChanged(),
    });
    this.#status = new StatusReporter({
      ...common,
      className: config.className,
      isSidecarClass: config.sidecar !== undefined,
      // What sidecars serve nobody counts.
      ...(config.sidecar === undefined && { programming: this.#replica.programming }),
      mayWrite: () => this.#replica.isWriter,
      onAwaiting: () => this.#replica.awaiting(),
      onWrite: (result) => metrics.count('postern_status_writes_total', result),
      troubles: new StatusTroubles({ log, troubles, namespaces: options.source.namespaces, account: this.#account }),
    });
    this.#schemas = new InstalledSchemas({
      ...common,
      expected: schemaDigests(),
      annotation: DIGEST_ANNOTATION,
      onChange: (outdated) => this.#setOutdated(outdated),
      onForbidden: (why) => log.info('Whether the installed schemas are of this version is not known', { why }),
    });
    this.#classes = new UnansweredClasses({
      ...common,
      className: config.className,
      namespaces: options.source.namespaces,
      isSpeaker: () => this.#replica.isWriter,
      onChange: (classes) => this.#setUnanswered(classes),
      onLeave: () => {
        this.#unanswered = [];
      },
    });
  }

  secrets(namespace: string) {
    if (this.#options.config.sidecar !== undefined) return sidecarSecrets;
    return secretLookup((name) => this.#secrets.find(namespace, name), { namespace, account: this.#account });
  }

  recordedSpec = (object: SourceObject): RecordedSpec | undefined => unpackSpec(object, this.#options.config.className);

  horizon = () => this.#kinds.horizon();

  /** In a cluster a snapshot also waits until the other replicas know of this one. */
  awaited = (): string => {
    const { unlisted } = this.#kinds;
    const secrets = 'not read yet: Secrets that consumers name';
    const what =
      unlisted.length > 0 ? notListed(unlisted) : this.#troubles.isSynced ? 'the Lease of this replica' : secrets;
    return [what, ...this.#troubles.causes].join('\n');
  };

  notNow = () => this.#replica.notNow();

  heldUntilMs = (): number => this.#replica.heldUntilMs;

  get admitted(): Promise<void> {
    return this.#replica.admitted;
  }

  problems = (): readonly string[] => [
    ...this.#troubles.lines,
    ...[...this.#outdated].map(outdatedLine),
    ...this.#unanswered,
  ];

  start(store: PolicyFeed): Promise<void> {
    this.#store = store;
    this.#kinds.start(store, () => void this.#complete(store));
    this.#options.metrics.read('postern_watch_silence_seconds', () => this.#secrets.silenceS, 'secrets');
    this.#replica.start(store);
    this.#schemas.start();
    this.#classes.start();
    return Promise.resolve();
  }

  report(build: Pick<Build, 'reports' | 'horizon'>): void {
    if (this.#store !== undefined) this.#followSecrets(this.#store);
    const isSidecarClass = this.#options.config.sidecar !== undefined;
    this.#reports = isSidecarClass ? withSelectorConflicts(build.reports) : build.reports;
    void this.#unaccepted.tell(build.reports);
    this.#replica.built(build);
    this.#status.report(this.reports());
  }

  reports = (): readonly ObjectReport[] => withOutdated(this.#reports, this.#outdated);

  async stop(): Promise<void> {
    this.#kinds.stop();
    this.#schemas.stop();
    this.#classes.stop();
    this.#troubles.stop();
    this.#secrets.stop();
    this.#status.stop();
    await this.#replica.stop();
  }

  /** Everything is listed; the Secrets that consumers name are waited for, so that no key is refused at the start. */
  async #complete(store: PolicyFeed): Promise<void> {
    this.#followSecrets(store);
    await this.#secrets.settled();
    this.#troubles.isSynced = true;
    store.complete();
  }

  /** The one that judges for sidecars reads as few as they do. */
  #followSecrets(store: PolicyFeed): void {
    if (this.#options.config.sidecar === undefined) this.#secrets.follow(store.secretNames());
  }

  #setWriter(isWriter: boolean): void {
    if (isWriter) this.#status.resume();
    else this.#status.pause();
  }

  #setUnanswered(classes: readonly UnansweredClass[]): void {
    const { log, config, source } = this.#options;
    const before = this.#unanswered;
    const own = { className: config.className, namespaces: source.namespaces };
    this.#unanswered = classes.map((found) => unansweredLine(found, own));
    for (const line of this.#unanswered) if (!before.includes(line)) log.warn(line);
    if (classes.length === 0) log.info('Every policy is of a class that an instance has answered for');
  }

  #setOutdated(outdated: ReadonlySet<string>): void {
    const { log } = this.#options;
    this.#outdated = outdated;
    if (outdated.size === 0) log.info('The installed schemas are of this version again');
    else log.warn('Installed schemas are of another version: apply deploy/crds', { definitions: [...outdated] });
    this.#status.report(this.reports());
  }
}
