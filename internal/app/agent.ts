import { startAdminServer } from '../admin/admin-server.ts';
import { startDebugServer } from '../admin/debug-server.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { type ForbiddenAddresses, NOTHING_FORBIDDEN } from '../keys/outbound.ts';
import { readPodLabels } from '../kube/pod-labels.ts';
import { type Build, type ObjectReport, PolicyStore } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { createCheckParts } from './check-parts.ts';
import { debugPages } from './debug-pages.ts';
import { FileSource } from './file-source.ts';
import { countKeysFetch, sayKeysFailed } from './keys-fetched.ts';
import { createKubeSource } from './kube-source.ts';
import { memoryLimitBytes } from './memory-limit.ts';
import { type CheckDoors, startOwnDoors } from './own-doors.ts';
import { Readiness } from './readiness.ts';
import type { Cluster, PolicySourceAdapter } from './source.ts';
import type { Workers } from './workers.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly version: string;
  readonly logDropped: () => number;
  /** Needed where there are workers. */
  readonly processes?: Processes;
}

/** How other processes of this program are started. */
export interface Processes {
  /** The file that was started. */
  readonly program: string;
  readonly otel: Readonly<Record<string, string | undefined>>;
  /** Takes whole lines of their logs. */
  readonly onLines: (lines: string) => void;
}

/** A running agent: the same for production, `postern dev` and tests. */
export interface Agent {
  readonly grpcAddress: string;
  readonly httpAddress: ListenAddress | undefined;
  readonly adminAddress: ListenAddress;
  readonly debugAddress: ListenAddress | undefined;
  /** Where its policies come from, unless from files. */
  readonly cluster: Cluster | undefined;
  /** Resolves when the first snapshot serves. */
  readonly ready: Promise<void>;
  /** What the newest build found of every object. */
  reports(): readonly ObjectReport[];
  /** Stops taking checks, lets those in flight finish, and closes everything else behind them. */
  stop(): Promise<void>;
}

const TRACE_FLUSH_MS = 3000;
/** Checks end first; probes and metrics go on meanwhile, and what checks leave behind is sent last. */
const STOP_ORDER = ['door', 'keys', 'admin', 'debug', 'source', 'tracing'] as const;

type Stops = Map<(typeof STOP_ORDER)[number], () => Promise<unknown>>;

/** Wires one instance out of its configuration and starts it, part by part. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config, clock, log, tracing, version } = options;
  const metrics = new Metrics({
    version,
    isStandalone: config.source.kind === 'directory',
    hasWorkers: config.workers > 1,
  });
  const stops: Stops = new Map([['tracing', () => tracing.shutdown(TRACE_FLUSH_MS)]]);
  const stopAll = async (): Promise<void> => {
    for (const part of STOP_ORDER)
      await stops
        .get(part)?.()
        .catch((error: unknown) => log.error('A part did not stop cleanly', { part, error }));
  };
  try {
    const parts = await startParts(options, metrics, stops);
    return { ...parts, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }

  async function startParts(given: AgentOptions, registry: Metrics, stopped: Stops): Promise<Omit<Agent, 'stop'>> {
    const counters = new MemoryStore({
      maxKeys: config.maxLimitKeys,
      onEvict: () => registry.count('postern_ratelimit_evictions_total'),
    });
    const labels = config.sidecar?.kind === 'agent' ? readPodLabels(config.sidecar.labelsFile) : undefined;
    const { adapter, forbidden } = makeSource(given, registry, labels);
    const workers =
      config.workers === 1 ? undefined : await makeWorkers({ ...given, metrics: registry, adapter, labels });
    const parts = createCheckParts({
      config,
      clock,
      metrics: registry,
      counters,
      forbidden,
      labels,
      // Who only judges policies asks nobody in their name.
      hasChecks: config.sidecar?.kind !== 'class' && workers === undefined,
      onKeys: observeKeys(registry, log),
    });
    stopped.set('keys', () => parts.outbound.close());
    const readiness = new Readiness(clock, workers?.readiness ?? adapter);
    const served = (build: Build): void => readiness.built(build, { registry, source: adapter });
    const store = new PolicyStore({
      ...parts.storeOptions,
      secrets: (namespace) => {
        const secrets = adapter.secrets(namespace);
        return workers === undefined ? secrets : workers.answers.recording(namespace, secrets);
      },
      ...(adapter.recordedSpec && { recordedSpec: adapter.recordedSpec }),
      ...(adapter.horizon && { horizon: adapter.horizon }),
      ...workers?.storeHooks,
      onBuild: (build) => (workers === undefined ? served(build) : workers.built(build)),
      onFailure(error) {
        registry.snapshotBuilt('failure', 0);
        log.error('A snapshot could not be built; the old one serves', { error });
        workers?.failed();
      },
    });
    readOwn(registry, { counters, readiness, adapter, given });
    stopped.set('door', () => {
      readiness.isDraining = true;
      return Promise.all(open.map((each) => each.drain(config.drainTimeoutMs, config.drainDelayMs)));
    });
    const open: Pick<CheckDoors, 'drain'>[] = [];
    const onOpen = (door: Pick<CheckDoors, 'drain'>): void => void open.push(door);
    const { notNow } = adapter;
    const doors =
      workers === undefined
        ? await startOwnDoors({
            ...given,
            metrics: registry,
            checks: parts.checks(store, { log, tracing, notNow }),
            onOpen,
          })
        : await workers.start(store, { onServed: served, onOpen });
    readiness.door = doors;
    const onError = (error: unknown): void => log.error('A page could not be served', { error });
    const admin = await startAdminServer({
      address: config.adminAddress,
      metrics: registry,
      clock,
      notReady: () => readiness.why(),
      onError,
    });
    stopped.set('admin', () => admin.close());
    const pages = debugPages({
      reports: () => readiness.reports,
      version: () => store.current?.version,
      source: adapter,
      counters: workers ?? counters,
    });
    const debug =
      config.debugAddress === undefined
        ? undefined
        : await startDebugServer({ address: config.debugAddress, pages, onError });
    if (debug !== undefined) stopped.set('debug', () => debug.close());
    stopped.set('source', () => adapter.stop());
    await adapter.start(workers?.feed ?? store);
    return {
      grpcAddress: doors.grpcAddress,
      httpAddress: doors.httpAddress,
      adminAddress: admin.address,
      debugAddress: debug?.address,
      cluster: adapter.cluster,
      ready: readiness.first,
      reports: () => readiness.reports,
    };
  }
}

interface Own {
  readonly counters: MemoryStore;
  readonly readiness: Readiness;
  readonly adapter: PolicySourceAdapter;
  readonly given: AgentOptions;
}

/** What is read of this process when somebody asks for its metrics. */
function readOwn(registry: Metrics, { counters, readiness, adapter, given }: Own): void {
  registry.read('postern_ratelimit_keys', () => counters.size);
  registry.read('postern_ratelimit_fullest_ratio', () => counters.size / given.config.maxLimitKeys);
  registry.set('postern_ratelimit_max_keys', given.config.maxLimitKeys);
  registry.read('postern_memory_limit_bytes', memoryLimitBytes);
  registry.read('postern_log_dropped_total', given.logDropped);
  registry.read('postern_snapshot_age_seconds', () => readiness.ageSeconds());
  registry.read('postern_file_problems', () => adapter.fileProblems?.());
  registry.read('postern_ready', () => (readiness.why() === undefined ? 1 : 0));
}

/** Nothing of it is loaded where there is one process. */
async function makeWorkers(options: ConstructorParameters<typeof Workers>[0]): Promise<Workers> {
  const { Workers: Loaded } = await import('./workers.ts');
  return new Loaded(options);
}

interface Source {
  readonly adapter: PolicySourceAdapter;
  /** Addresses that policies may never make the agent connect to. */
  readonly forbidden: ForbiddenAddresses;
}

function makeSource({ config, log, clock }: AgentOptions, metrics: Metrics, labels: PodLabels | undefined): Source {
  if (config.source.kind === 'directory')
    return {
      adapter: new FileSource({ root: config.source.directory, log, clock, unmatched: config.unmatched }),
      forbidden: NOTHING_FORBIDDEN,
    };
  return createKubeSource({ config, source: config.source, log, clock, metrics, labels });
}

function observeKeys(metrics: Metrics, log: Log): (result: 'ok' | 'error', url: string, why?: string) => void {
  return (result, url, why) => {
    countKeysFetch(metrics, result);
    if (result === 'error') sayKeysFailed(log, url, why);
  };
}
