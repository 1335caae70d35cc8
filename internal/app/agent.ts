import { startAdminServer } from '../admin/admin-server.ts';
import { startDebugServer } from '../admin/debug-server.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { createCheckBytes } from '../extauthz/check.ts';
import { createKeySources } from '../keys/key-sources.ts';
import { type ForbiddenAddresses, NOTHING_FORBIDDEN, OutboundClient } from '../keys/outbound.ts';
import { readPodLabels } from '../kube/pod-labels.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { Engine } from '../policy/evaluate.ts';
import { knowledgeOf } from '../policy/knowledge.ts';
import { type ObjectReport, PolicyStore } from '../policy/store.ts';
import { type PodLabels, Workload } from '../policy/workload.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Observer } from '../telemetry/observer.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { debugPages } from './debug-pages.ts';
import { FileSource } from './file-source.ts';
import { createKubeSource } from './kube-source.ts';
import { memoryLimitBytes } from './memory-limit.ts';
import { Readiness } from './readiness.ts';
import type { Cluster, PolicySourceAdapter } from './source.ts';
import { startDoor } from './start-door.ts';
import { startHttpDoorOf } from './start-http-door.ts';

export interface AgentOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly log: Log;
  readonly tracing: Tracing;
  readonly version: string;
  readonly logDropped: () => number;
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

/** Checks that may wait for something outside at the same time. */
const MAX_WAITING = 1000;
const TRACE_FLUSH_MS = 3000;
/** Checks end first; probes and metrics go on meanwhile, and what checks leave behind is sent last. */
const STOP_ORDER = ['door', 'keys', 'admin', 'debug', 'source', 'tracing'] as const;

type Stops = Map<(typeof STOP_ORDER)[number], () => Promise<unknown>>;

/** Wires one instance out of its configuration and starts it, part by part. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config, clock, log, tracing, version } = options;
  const metrics = new Metrics({ version, isStandalone: config.source.kind === 'directory' });
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
    const source = makeSource(given, registry, labels);
    const outbound = new OutboundClient({
      isRelaxed: config.outbound.isOpen,
      allowed: config.outbound.allow.list,
      forbidden: source.forbidden,
    });
    stopped.set('keys', () => outbound.close());
    const tokens = createTokenCache();
    const keySources = createKeySources({
      client: outbound,
      clock,
      random: Math.random,
      observe: observeKeys(registry, log),
      // Who only judges policies asks nobody in their name.
      prefetch: config.sidecar?.kind !== 'class',
    });
    const readiness = new Readiness(clock, source.adapter);
    const { edge } = config;
    const store = new PolicyStore({
      ports: {
        keySources,
        tokens,
        limits: createRateLimitPorts(counters),
        knows: knowledgeOf(edge),
        workload: config.sidecar && new Workload(labels),
      },
      clusterIssuer: config.clusterIssuer,
      className: config.className,
      hostGrants: config.hostGrants,
      secrets: (namespace) => source.adapter.secrets(namespace),
      namespaceBudget: config.namespaceBudget,
      objectBudget: config.objectBudget,
      hasNamespaces: config.source.kind === 'kube',
      hasEveryNamespace: config.source.kind === 'kube' && config.source.namespaces.length === 0,
      ...(source.adapter.recordedSpec && { recordedSpec: source.adapter.recordedSpec }),
      ...(source.adapter.horizon && { horizon: source.adapter.horizon }),
      clock,
      onBuild: (build) => readiness.built(build, { registry, source: source.adapter }),
      onFailure(error) {
        registry.snapshotBuilt('failure', 0);
        log.error('A snapshot could not be built; the old one serves', { error });
      },
    });
    const engine = new Engine(() => store.current, {
      edge,
      unmatched: config.unmatched,
      routeMetadata: config.routeMetadata,
      sidecar: config.sidecar?.kind,
      checkTimeoutMs: config.checkTimeoutMs,
      clock,
      newDecisionId: createDecisionIds(),
    });
    registry.read('postern_ratelimit_keys', () => counters.size);
    registry.set('postern_ratelimit_max_keys', config.maxLimitKeys);
    registry.read('postern_memory_limit_bytes', memoryLimitBytes);
    registry.read('postern_keys_age_seconds', () => {
      const ageMs = keySources.oldestMs;
      return ageMs === undefined ? undefined : ageMs / 1000;
    });
    registry.read('postern_token_cache_entries', () => tokens.size);
    registry.read('postern_log_dropped_total', given.logDropped);
    registry.read('postern_snapshot_age_seconds', () => readiness.ageSeconds());
    registry.read('postern_file_problems', () => source.adapter.fileProblems?.());
    registry.read('postern_ready', () => (readiness.why() === undefined ? 1 : 0));
    const observer = new Observer({ metrics: registry, log, tracing, clock, random: Math.random });
    const { notNow } = source.adapter;
    const checks = { engine, observer, maxWaiting: MAX_WAITING, ...(notNow && { notNow }) };
    const door = await startDoor({ ...given, metrics: registry, check: createCheckBytes(checks) });
    readiness.door = door;
    const doors: Drainable[] = [door];
    stopped.set('door', () => {
      readiness.isDraining = true;
      return Promise.all(doors.map((each) => each.drain(config.drainTimeoutMs, config.drainDelayMs)));
    });
    const http = config.http && (await startHttpDoorOf({ ...given, http: config.http, checks }));
    if (http !== undefined) doors.push(http);
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
      source: source.adapter,
      counters,
    });
    const debug =
      config.debugAddress === undefined
        ? undefined
        : await startDebugServer({ address: config.debugAddress, pages, onError });
    if (debug !== undefined) stopped.set('debug', () => debug.close());
    stopped.set('source', () => source.adapter.stop());
    await source.adapter.start(store);
    return {
      grpcAddress: door.address,
      httpAddress: http?.address,
      adminAddress: admin.address,
      debugAddress: debug?.address,
      cluster: source.adapter.cluster,
      ready: readiness.first,
      reports: () => readiness.reports,
    };
  }
}

/** A door, of whichever transport. */
interface Drainable {
  drain(timeoutMs: number, delayMs: number): Promise<void>;
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
    metrics.count('postern_keys_fetches_total', result === 'ok' ? 'success' : 'failure');
    if (result === 'error') log.warn('Keys could not be fetched; last good ones serve, if any', { issuer: url, why });
  };
}
