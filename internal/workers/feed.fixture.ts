import { deserialize, serialize } from 'node:v8';
import type { SecretLookup } from '../phases/authn/consumers.ts';
import type { SourceObject } from '../policy/object.ts';
import { PORTS } from '../policy/policy-ports.fixture.ts';
import { type Build, PolicyStore } from '../policy/store.ts';
import { FedStore } from './fed-store.ts';
import type { ToWorker } from './messages.ts';
import { SecretAnswers, ToldSecrets } from './secret-answers.ts';
import { type Batch, WorkerFeed } from './worker-feed.ts';

export const NO_SECRETS: SecretLookup = () => ({ reason: 'SecretNotFound', message: 'none' });

/** What a policy lets everybody do on a host. */
export const policyOf = (id: string, host: string, generation = 1, methods: readonly string[] = []): SourceObject => {
  const [namespace = '', name = ''] = id.split('/');
  const allow = methods.length === 0 ? { any: {} } : { methods };
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace, uid: `uid-${id}`, generation },
    spec: {
      target: { hosts: [host] },
      authentication: { methods: [{ name: 'm', apiKey: {} }] },
      authorization: { rules: [{ name: 'all', allow }] },
    },
  };
};

/** The same policy in a generation that no spec of is accepted. */
export const broken = (policy: SourceObject, generation: number): SourceObject => ({
  ...policy,
  metadata: { ...policy.metadata, generation },
  spec: { ...(policy.spec as object), nonsense: true },
});

export const consumerOf = (id: string, secret: string): SourceObject => {
  const [namespace = '', name = ''] = id.split('/');
  const keys = [{ name: 'k', secretRef: { name: secret, key: 'key' } }];
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIConsumer',
    metadata: { name, namespace, uid: `uid-${id}`, generation: 1 },
    spec: { keys },
  };
};

const COMMON = {
  ports: PORTS,
  clusterIssuer: undefined,
  className: 'postern',
  clock: { wallMs: () => 0, monotonicMs: () => performance.now() },
};

/** What a store makes of what it holds, without what names a process. */
export const sayingOf = ({ reports }: Pick<Build, 'reports'>) =>
  reports.map(({ object, isAccepted, servingGeneration, hosts, problems }) => ({
    object: `${object.kind}/${object.metadata.namespace}/${object.metadata.name} ${object.metadata.generation}`,
    isAccepted,
    servingGeneration,
    hosts,
    problems: problems.map(({ reason }) => reason),
  }));

/** A worker in this process, told by clones as another process is. */
export class FedWorld {
  builds: Build[] = [];
  served: number[] = [];
  readonly fed: FedStore;
  readonly secrets: ToldSecrets = new ToldSecrets();
  readonly store: PolicyStore;

  constructor() {
    const { secrets } = this;
    this.store = new PolicyStore({
      ...COMMON,
      secrets: (namespace) => secrets.secrets(namespace),
      recordedSpec: (object) => this.fed.recordedSpec(object.metadata.uid),
      onBuild: (build) => this.builds.push(build),
      onSettled: () => this.fed.settled(),
      onFailure: (error) => {
        throw error;
      },
    });
    this.fed = new FedStore({ store: this.store, secrets, onServed: (number) => this.served.push(number) });
  }

  take({ number, changes, secrets, records }: Batch): void {
    this.#tell({ kind: 'changes', changes });
    this.#tell({ kind: 'secrets', secrets });
    this.#tell({ kind: 'build', number, records });
  }

  get saying() {
    const last = this.builds.at(-1);
    return last && sayingOf(last);
  }

  #tell(message: ToWorker): void {
    this.fed.take(deserialize(serialize(message)) as ToWorker);
  }
}

/** A main process: its store, and what it has for workers. */
export class MainWorld {
  secrets: SecretLookup = NO_SECRETS;
  builds: Build[] = [];
  servedBuilds: Build[] = [];
  batches: Batch[] = [];
  failures = 0;
  /** Changes that its source has told of. */
  version = 0;
  /** Thrown at the next builds. */
  throwsFor = 0;
  onBatch: (batch: Batch) => void = () => undefined;
  onBuild: () => void = () => undefined;
  readonly answers: SecretAnswers = new SecretAnswers();
  readonly feed: WorkerFeed;
  readonly store: PolicyStore;

  constructor(rest: (ms: number) => Promise<void> = () => Promise.resolve()) {
    this.store = new PolicyStore({
      ...COMMON,
      secrets: (namespace) => this.answers.recording(namespace, (ref, consumer) => this.secrets(ref, consumer)),
      horizon: () => this.feed.horizon,
      onBegin: () => {
        this.feed.began();
        if (this.throwsFor === 0) return;
        this.throwsFor -= 1;
        throw new Error('it cannot be built');
      },
      onSettled: () => this.feed.settled(),
      onBuild: (build) => {
        this.builds.push(build);
        this.feed.built(build);
        this.onBuild();
      },
      onFailure: () => {
        this.failures += 1;
        this.feed.failed();
      },
    });
    this.feed = new WorkerFeed({
      store: this.store,
      answers: this.answers,
      horizon: () => ({ policies: String(this.version) }),
      onBatch: (batch) => {
        this.batches.push(batch);
        this.onBatch(batch);
      },
      onServed: (build) => this.servedBuilds.push(build),
      rest,
    });
  }

  /** As a watch does: it has come so far, and tells. */
  watched(object: SourceObject): void {
    this.version += 1;
    this.feed.apply(object);
  }

  get saying() {
    const last = this.builds.at(-1);
    return last && sayingOf(last);
  }
}
