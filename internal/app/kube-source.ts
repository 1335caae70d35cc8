import { lookup } from 'node:dns/promises';
import { BlockList, isIP } from 'node:net';
import { hostname } from 'node:os';
import type { Config, PolicySource } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { unpackSpec } from '../kube/accepted-spec.ts';
import { type KubeConfig, loadKubeConfig, ownNamespace } from '../kube/client.ts';
import { LeaseHolder } from '../kube/lease.ts';
import { Reflector } from '../kube/reflector.ts';
import { SecretWatches } from '../kube/secret-watches.ts';
import { StatusReporter } from '../kube/status-reporter.ts';
import { secretLookup } from '../policy/offered-secret.ts';
import { GROUP, KINDS, VERSION } from '../policy/resource/kinds.ts';
import type { ObjectReport, PolicyStore } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import type { PolicySourceAdapter } from './source.ts';

export interface KubeSourceOptions {
  readonly config: Config;
  readonly source: Extract<PolicySource, { kind: 'kube' }>;
  readonly log: Log;
  readonly clock: Clock;
  readonly metrics: Metrics;
}

/** Connects to the cluster; nothing is asked of it before `start`. */
export async function startKubeSource(
  options: KubeSourceOptions,
): Promise<{ readonly adapter: PolicySourceAdapter; readonly forbidden: BlockList }> {
  const kube = loadKubeConfig(options.source.kubeconfig);
  return { adapter: new KubeSource(kube, options), forbidden: await addressesOf(kube) };
}

/** Policies may never make the agent connect to the API server. */
async function addressesOf(kube: KubeConfig): Promise<BlockList> {
  const list = new BlockList();
  const host = new URL(kube.getCurrentCluster()?.server ?? 'https://localhost').hostname.replace(/^\[(.*)\]$/, '$1');
  const found =
    isIP(host) === 0 ? await lookup(host, { all: true }).catch(() => []) : [{ address: host, family: isIP(host) }];
  for (const { address, family } of found) list.addAddress(address, family === 6 ? 'ipv6' : 'ipv4');
  return list;
}

class KubeSource implements PolicySourceAdapter {
  readonly #kube: KubeConfig;
  readonly #options: KubeSourceOptions;
  readonly #reflectors: Reflector[] = [];
  readonly #secrets: SecretWatches;
  readonly #status: StatusReporter;
  readonly #lease: LeaseHolder;
  #store: PolicyStore | undefined = undefined;
  readonly #errors = new Map<string, string>();

  constructor(kube: KubeConfig, options: KubeSourceOptions) {
    this.#kube = kube;
    this.#options = options;
    const { config, clock, metrics, log } = options;
    const common = { config: kube, clock, random: Math.random };
    this.#secrets = new SecretWatches({
      ...common,
      onChange: (namespace) => this.#store?.secretChanged(namespace),
      onError: (why) => this.#fail('secrets', why),
    });
    this.#status = new StatusReporter({
      ...common,
      className: config.className,
      onWrite(result, why) {
        metrics.count('postern_status_writes_total', result);
        if (why !== undefined) log.warn('A status could not be written', { why });
      },
    });
    this.#lease = new LeaseHolder({
      ...common,
      namespace: ownNamespace(kube),
      name: `postern-status-${config.className}`,
      identity: `${hostname()}-${process.pid}`,
      onGain: () => this.#status.resume(),
      onLoss: () => this.#status.pause(),
      onError: (why) => this.#fail('leases', why),
    });
  }

  secrets(namespace: string) {
    return secretLookup((name) => this.#secrets.find(namespace, name));
  }

  recordedSpec = unpackSpec;

  problems = (): readonly string[] => [...this.#errors].map(([resource, why]) => `${resource}: ${why}`);

  start(store: PolicyStore): Promise<void> {
    this.#store = store;
    const { source, config } = this.#options;
    const namespaces = source.namespaces.length === 0 ? [undefined] : source.namespaces;
    let missing = namespaces.length * Object.keys(KINDS).length;
    for (const { kind, plural } of Object.values(KINDS)) {
      for (const namespace of namespaces) {
        const isPolicy = kind === 'APIPolicy';
        this.#watch(
          {
            kind,
            plural,
            namespace,
            labelSelector: isPolicy ? source.policySelector : undefined,
            fieldSelector: isPolicy ? `spec.className=${config.className}` : undefined,
          },
          () => {
            missing -= 1;
            if (missing === 0) void this.#complete(store);
          },
        );
      }
    }
    this.#lease.start();
    return Promise.resolve();
  }

  report(reports: readonly ObjectReport[]): void {
    if (this.#store !== undefined) this.#secrets.follow(this.#store.secretNames());
    this.#status.report(reports);
  }

  async stop(): Promise<void> {
    for (const reflector of this.#reflectors) reflector.stop();
    this.#secrets.stop();
    this.#status.stop();
    await this.#lease.stop();
  }

  /** Everything is listed; the Secrets that consumers name are waited for, so that no key is refused at the start. */
  async #complete(store: PolicyStore): Promise<void> {
    this.#secrets.follow(store.secretNames());
    await this.#secrets.settled();
    store.complete();
  }

  #watch(what: Watched, onSynced: () => void): void {
    const { clock, metrics } = this.#options;
    const resource = what.plural as 'apipolicies';
    const reflector = new Reflector({
      config: this.#kube,
      resource: { group: GROUP, version: VERSION, plural: what.plural },
      kind: what.kind,
      namespace: what.namespace,
      labelSelector: what.labelSelector,
      fieldSelector: what.fieldSelector,
      clock,
      random: Math.random,
      onApply: (object) => {
        this.#errors.delete(what.plural);
        this.#store?.apply(object);
      },
      onDelete: (object) => this.#store?.delete(object.kind, object.metadata),
      onSynced: () => {
        this.#errors.delete(what.plural);
        onSynced();
      },
      onError: (why, status) => {
        metrics.count('postern_watch_restarts_total', resource);
        this.#fail(
          what.plural,
          status === 404 ? `the API server knows no ${what.plural}: apply deploy/crds first` : why,
        );
      },
    });
    this.#reflectors.push(reflector);
    metrics.read('postern_watch_silence_seconds', () => reflector.silenceS, resource);
    reflector.start();
  }

  /** Each new trouble is one line of the log; the same one again is not. */
  #fail(resource: string, why: string): void {
    if (this.#errors.get(resource) === why) return;
    this.#errors.set(resource, why);
    this.#options.log.warn('The API server did not answer as it should; what is known serves', { resource, why });
  }
}

interface Watched {
  readonly kind: string;
  readonly plural: string;
  readonly namespace: string | undefined;
  readonly labelSelector: string | undefined;
  readonly fieldSelector: string | undefined;
}
