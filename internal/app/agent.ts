import { BlockList } from 'node:net';
import { startAdminServer } from '../admin/admin-server.ts';
import { startDebugServer } from '../admin/debug-server.ts';
import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { PolicyRef } from '../core/decision.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import type { ListenAddress } from '../core/listen-address.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { createCheckBytes } from '../extauthz/check.ts';
import { type GrpcDoor, startGrpcDoor } from '../extauthz/grpc-door.ts';
import { createKeySources } from '../keys/key-sources.ts';
import { OutboundClient } from '../keys/outbound.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { Engine } from '../policy/evaluate.ts';
import type { Snapshot } from '../policy/snapshot.ts';
import { type Build, type ObjectReport, PolicyStore } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { Observer } from '../telemetry/observer.ts';
import type { Tracing } from '../telemetry/tracing.ts';
import { debugPages } from './debug-pages.ts';
import { FileSource } from './file-source.ts';
import { startKubeSource } from './kube-source.ts';
import type { PolicySourceAdapter } from './source.ts';

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
  readonly adminAddress: ListenAddress;
  readonly debugAddress: ListenAddress | undefined;
  /** Resolves when the first snapshot serves. */
  readonly ready: Promise<void>;
  /** What the newest build found of every object. */
  reports(): readonly ObjectReport[];
  /** Stops taking checks, lets those in flight finish, and closes everything in the reverse order of its start. */
  stop(): Promise<void>;
}

/** Reads certificates again this often. */
const CERTIFICATE_RELOAD_MS = 10_000;
/** Checks that may wait for something outside at the same time. */
const MAX_WAITING = 1000;
const TRACE_FLUSH_MS = 3000;

/** Wires one instance out of its configuration and starts it, part by part. */
export async function startAgent(options: AgentOptions): Promise<Agent> {
  const { config, clock, log, tracing, version } = options;
  const metrics = new Metrics({ version, isStandalone: config.source.kind === 'directory' });
  const stops: (() => Promise<unknown>)[] = [() => tracing.shutdown(TRACE_FLUSH_MS)];
  const stopAll = async (): Promise<void> => {
    for (const stop of stops.reverse())
      await stop().catch((error: unknown) => log.error('A part did not stop cleanly', { error }));
  };
  try {
    const parts = await startParts(options, metrics, stops);
    return { ...parts, stop: stopAll };
  } catch (error) {
    await stopAll();
    throw error;
  }

  async function startParts(
    given: AgentOptions,
    registry: Metrics,
    stopped: (() => Promise<unknown>)[],
  ): Promise<Omit<Agent, 'stop'>> {
    const counters = new MemoryStore({
      maxKeys: config.maxLimitKeys,
      onEvict: () => registry.count('postern_ratelimit_evictions_total'),
    });
    const source = await makeSource(given, registry);
    const outbound = new OutboundClient({
      isRelaxed: config.outbound.isOpen,
      allowed: config.outbound.allow.list,
      forbidden: source.forbidden,
    });
    stopped.push(() => outbound.close());
    const tokens = createTokenCache();
    const keySources = createKeySources({
      client: outbound,
      clock,
      random: Math.random,
      observe: observeKeys(registry, log),
      prefetch: true,
    });
    const readiness = new Readiness(clock);
    const { edge } = config;
    const store = new PolicyStore({
      ports: {
        keySources,
        tokens,
        limits: createRateLimitPorts(counters),
        knowsClientAddress: edge.clientAddress.kind !== 'unset',
        knowsTransport:
          edge.transportTls ||
          edge.trustContextExtensions ||
          edge.clientAddress.kind === 'hops' ||
          edge.clientAddress.kind === 'cidrs',
        knowsBodies: edge.bodiesForwarded || edge.trustContextExtensions,
      },
      clusterIssuer: config.clusterIssuer,
      className: config.className,
      secrets: (namespace) => source.adapter.secrets(namespace),
      ...(source.adapter.recordedSpec && { recordedSpec: source.adapter.recordedSpec }),
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
      checkTimeoutMs: config.checkTimeoutMs,
      clock,
      newDecisionId: createDecisionIds(),
    });
    registry.read('postern_ratelimit_keys', () => counters.size);
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
    const door = await startDoor({
      ...given,
      metrics: registry,
      check: createCheckBytes({ engine, observer, maxWaiting: MAX_WAITING }),
    });
    readiness.door = door;
    stopped.push(() => {
      readiness.isDraining = true;
      return door.drain(config.drainTimeoutMs);
    });
    const onError = (error: unknown): void => log.error('A page could not be served', { error });
    const admin = await startAdminServer({
      address: config.adminAddress,
      metrics: registry,
      notReady: () => readiness.why(),
      onError,
    });
    stopped.splice(1, 0, () => admin.close());
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
    if (debug !== undefined) stopped.splice(1, 0, () => debug.close());
    await source.adapter.start(store);
    stopped.splice(1, 0, () => source.adapter.stop());
    return {
      grpcAddress: door.address,
      adminAddress: admin.address,
      debugAddress: debug?.address,
      ready: readiness.first,
      reports: () => readiness.reports,
    };
  }
}

interface Source {
  readonly adapter: PolicySourceAdapter;
  /** Addresses that policies may never make the agent connect to. */
  readonly forbidden: BlockList;
}

async function makeSource({ config, log, clock }: AgentOptions, metrics: Metrics): Promise<Source> {
  if (config.source.kind === 'directory')
    return {
      adapter: new FileSource({ root: config.source.directory, log, clock, unmatched: config.unmatched }),
      forbidden: new BlockList(),
    };
  return startKubeSource({ config, source: config.source, log, clock, metrics });
}

function observeKeys(metrics: Metrics, log: Log): (result: 'ok' | 'error', url: string, why?: string) => void {
  return (result, url, why) => {
    metrics.count('postern_keys_fetches_total', result === 'ok' ? 'success' : 'failure');
    if (result === 'error') log.warn('Keys could not be fetched; last good ones serve, if any', { issuer: url, why });
  };
}

/** Whether the instance should get checks: it serves a snapshot, and does not drain. */
class Readiness {
  door: GrpcDoor | undefined = undefined;
  isDraining = false;
  reports: readonly ObjectReport[] = [];
  readonly #clock: Clock;
  #builtMs: number | undefined = undefined;
  readonly #first = Promise.withResolvers<void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  get first(): Promise<void> {
    return this.#first.promise;
  }

  why(): string | undefined {
    if (this.isDraining) return 'draining';
    return this.#builtMs === undefined ? 'no snapshot yet' : undefined;
  }

  ageSeconds(): number | undefined {
    return this.#builtMs === undefined ? undefined : (this.#clock.monotonicMs() - this.#builtMs) / 1000;
  }

  built(
    build: Build,
    { registry, source }: { readonly registry: Metrics; readonly source: PolicySourceAdapter },
  ): void {
    const isFirst = this.#builtMs === undefined;
    this.#builtMs = this.#clock.monotonicMs();
    this.reports = build.reports;
    registry.snapshotBuilt('success', build.tookMs / 1000);
    const counts = { accepted: 0, last_good: 0, rejected: 0 };
    for (const { object, isAccepted, servesLastGood } of build.reports) {
      if (object.kind !== 'APIPolicy') continue;
      counts[isAccepted ? 'accepted' : servesLastGood ? 'last_good' : 'rejected'] += 1;
    }
    registry.set('postern_policies', counts.accepted, 'accepted');
    registry.set('postern_policies', counts.last_good, 'last_good');
    registry.set('postern_policies', counts.rejected, 'rejected');
    registry.setPolicies(servedBy(build.snapshot));
    source.report(build.reports);
    if (!isFirst) return;
    if (!this.isDraining) this.door?.setServing(true);
    this.#first.resolve();
  }
}

function* servedBy({ named }: Snapshot): Iterable<PolicyRef> {
  for (const { policy } of named.values()) if (policy !== undefined) yield policy.ref;
}

type DoorParts = AgentOptions & { readonly metrics: Metrics; readonly check: ReturnType<typeof createCheckBytes> };

function startDoor({ config, clock, log, metrics, check }: DoorParts): Promise<GrpcDoor> {
  const { tls } = config;
  let isReload = false;
  return startGrpcDoor({
    address: config.grpcAddress,
    check,
    clock,
    maxReceiveBytes: config.maxReceiveBytes,
    maxConnectionAgeMs: config.maxConnectionAgeMs,
    hasReflection: config.grpcReflection,
    tls: tls && {
      files: tls,
      reloadEveryMs: CERTIFICATE_RELOAD_MS,
      onCertificate(notAfterMs, clientCaNotAfterMs) {
        if (isReload) metrics.count('postern_certificate_reloads_total', 'success');
        isReload = true;
        metrics.set('postern_certificate_not_after_seconds', notAfterMs / 1000, 'server');
        if (clientCaNotAfterMs !== undefined)
          metrics.set('postern_certificate_not_after_seconds', clientCaNotAfterMs / 1000, 'client_ca');
      },
      onError(error) {
        metrics.count('postern_certificate_reloads_total', 'failure');
        log.error('A certificate cannot be used; the old one stays', { error });
      },
    },
  });
}
