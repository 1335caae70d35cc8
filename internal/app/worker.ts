import { setTimeout as pause } from 'node:timers/promises';
import { MemoryStore } from '../counters/memory-store.ts';
import { PEER_BOUNDS } from '../counters/peers/peer-bounds.ts';
import { PeerCounters } from '../counters/peers/peer-counters.ts';
import { NOTHING_FORBIDDEN } from '../keys/outbound.ts';
import { unpackSpec } from '../kube/accepted-spec.ts';
import { ServerAddresses } from '../kube/server-addresses.ts';
import { calendarNamed } from '../phases/ratelimit/calendar.ts';
import type { SourceObject } from '../policy/object.ts';
import type { RecordedSpec } from '../policy/recorded-spec.ts';
import { PolicyStore } from '../policy/store.ts';
import { Metrics } from '../telemetry/metrics.ts';
import { FedStore } from '../workers/fed-store.ts';
import { HandedConnections } from '../workers/handed-connections.ts';
import type { MainProcess } from '../workers/main-process.ts';
import type { WorkerStart } from '../workers/messages.ts';
import { ToldSecrets } from '../workers/secret-answers.ts';
import { HeardVerdict } from '../workers/verdict.ts';
import { HELD_MS, STOP_MS } from './admission.ts';
import type { AgentOptions } from './agent.ts';
import { createCheckParts } from './check-parts.ts';
import { countKeysFetch } from './keys-fetched.ts';
import { startOwnDoors } from './own-doors.ts';
import { servedBy } from './readiness.ts';

export interface WorkerOptions extends AgentOptions {
  readonly start: WorkerStart;
  readonly main: MainProcess;
  /** What makes a monotonic time of this process one of the machine. */
  readonly machineMs: number;
}

export interface Worker {
  stop(timeoutMs: number, delayMs: number): Promise<void>;
}

const ALIVE_MS = 1000;
const TRACE_FLUSH_MS = 3000;
/** How long a worker waits for the others before it begins without them: limits that they own are a fault until they come. */
const PEERS_MS = 5000;

/** Wires one of the processes that answer checks: doors, engine and a store that the main process feeds. */
export async function startWorker(options: WorkerOptions): Promise<Worker> {
  const { config, clock, log, tracing, version, start, main, machineMs } = options;
  const metrics = new Metrics({ version, isStandalone: config.source.kind === 'directory' });
  const { counters, own, maxKeys } = await sharedCounters(options, metrics);
  const forbidden = start.apiServer === undefined ? undefined : new ServerAddresses({ server: start.apiServer, clock });
  // Known before policies come: one that writes such an address is refused here as it is in the main process.
  await forbidden?.refresh();
  const parts = createCheckParts({
    config,
    clock,
    metrics,
    counters,
    forbidden: forbidden ?? NOTHING_FORBIDDEN,
    labels: start.labels,
    hasChecks: true,
    // Asks of the others are bounded where they are made.
    othersWaiting: PEER_BOUNDS.maxAsks * (start.count - 1),
    onKeys(result, url, why) {
      countKeysFetch(metrics, result);
      main.say({ kind: 'keys', url, why: result === 'ok' ? undefined : (why ?? '') });
    },
  });
  const secrets = new ToldSecrets();
  const recordedSpec = (object: SourceObject): RecordedSpec | undefined => {
    const told = fed.recordedSpec(object.metadata.uid);
    return told ?? (config.source.kind === 'kube' ? unpackSpec(object, config.className) : undefined);
  };
  const store = new PolicyStore({
    ...parts.storeOptions,
    secrets: (namespace) => secrets.secrets(namespace),
    recordedSpec,
    onBuild: ({ snapshot }) => metrics.setPolicies(servedBy(snapshot)),
    onSettled: () => fed.settled(),
    onFailure(error) {
      main.say({ kind: 'notBuilt' });
      log.error('A worker could not build what the main process has built', { error });
    },
  });
  const fed = new FedStore({ store, secrets, onServed: (number) => main.say({ kind: 'served', number }) });
  const verdict = new HeardVerdict(clock, machineMs, { heldMs: HELD_MS, stopMs: STOP_MS });
  const notNow = start.hasVerdicts ? () => verdict.refusal() : undefined;
  metrics.read('postern_ratelimit_keys', () => own.size);
  metrics.read('postern_ratelimit_fullest_ratio', () => own.size / maxKeys);
  metrics.read('postern_log_dropped_total', options.logDropped);
  const connections = new HandedConnections();
  const checks = parts.checks(store, { log, tracing, notNow });
  const doors = await startOwnDoors({
    ...options,
    metrics,
    checks,
    listen: connections.listen,
    areCertificatesTold: start.index > 1,
    onOpen: () => undefined,
  });
  main.listen((message, connection) => {
    if (message.kind === 'connection') {
      connections.take(message.door, connection);
      main.say({ kind: 'taken' });
    } else if (message.kind === 'verdict') verdict.hear(message.verdict);
    else if (message.kind === 'serving') doors.setServing(message.isServing);
    else if (message.kind === 'peer') counters.peerChanged(message.index - 1, message.generation);
    else if (message.kind === 'metrics') void tellMetrics();
    else fed.take(message);
  });
  const sayAlive = (): void => main.say({ kind: 'alive', closed: connections.closed, keys: own.size });
  const alive = setInterval(sayAlive, ALIVE_MS);
  main.say({ kind: 'loaded' });
  return {
    async stop(timeoutMs, delayMs) {
      await doors.drain(timeoutMs, delayMs);
      main.say({ kind: 'drained' });
      // The others may still have checks that count here.
      await main.leave;
      clearInterval(alive);
      await counters.close();
      await parts.outbound.close();
      await tracing.shutdown(TRACE_FLUSH_MS);
    },
  };

  async function tellMetrics(): Promise<void> {
    main.say({ kind: 'metrics', metrics: await metrics.export() });
  }
}

/** Counters of which each worker owns a part; those of the others are asked for, once they are there. */
async function sharedCounters(
  { start, config, log }: WorkerOptions,
  metrics: Metrics,
): Promise<{ readonly counters: PeerCounters; readonly own: MemoryStore; readonly maxKeys: number }> {
  const maxKeys = Math.ceil(config.maxLimitKeys / start.count);
  const own = new MemoryStore({ maxKeys, onEvict: () => metrics.count('postern_ratelimit_evictions_total') });
  metrics.set('postern_ratelimit_max_keys', maxKeys);
  const counters = new PeerCounters({
    index: start.index - 1,
    count: start.count,
    generations: Array.from({ length: start.count }, (_, index) =>
      index + 1 === start.index ? start.generation : (start.peers.get(index + 1) ?? 1),
    ),
    directory: start.directory,
    local: own,
    calendarNamed,
    onTrouble: (why) => log.warn('Workers could not share their counters', { why }),
  });
  await counters.open();
  await Promise.race([counters.connected(), pause(PEERS_MS, undefined, { ref: false })]);
  return { counters, own, maxKeys };
}
