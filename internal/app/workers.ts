import { setTimeout as pause } from 'node:timers/promises';
import { machineMonotonicMs } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { addressText, type ListenAddress } from '../core/listen-address.ts';
import { readCertificates } from '../extauthz/certificates.ts';
import { type GrpcDoor, startGrpcDoor } from '../extauthz/grpc-door.ts';
import type { Build, PolicyFeed, PolicyStore, StoreOptions } from '../policy/store.ts';
import type { PodLabels } from '../policy/workload.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { WorkerScrapes } from '../telemetry/worker-scrapes.ts';
import { type HandingListener, startHandingListener } from '../workers/handing-listener.ts';
import type { FromWorker, HandedDoor } from '../workers/messages.ts';
import { SecretAnswers } from '../workers/secret-answers.ts';
import { VERDICT_EVERY_MS } from '../workers/verdict.ts';
import { makeDirectory, type WorkerDirectory } from '../workers/worker-directory.ts';
import { WorkerFeed } from '../workers/worker-feed.ts';
import { WorkerPool } from '../workers/worker-pool.ts';
import type { WorkerEnd, WorkerProcess } from '../workers/worker-process.ts';
import type { AgentOptions, Processes } from './agent.ts';
import { sayKeysFailed } from './keys-fetched.ts';
import type { CheckDoors } from './own-doors.ts';
import type { PolicySourceAdapter } from './source.ts';
import { untoldTls } from './start-door.ts';

export interface WorkersOptions extends AgentOptions {
  readonly metrics: Metrics;
  readonly adapter: PolicySourceAdapter;
  readonly labels: PodLabels | undefined;
}

const MOST_TROUBLES = 1000;

interface Started {
  /** All workers serve what this build made. */
  readonly onServed: (build: Build) => void;
  /** Told first of all of what has to be drained. */
  readonly onOpen: (doors: Pick<CheckDoors, 'drain'>) => void;
}

/**
 * The part of the main process that is about its workers: it takes connections and answers no check itself. Its own store
 * is for statuses and pages, and what it has built the workers build.
 */
export class Workers {
  readonly answers: SecretAnswers = new SecretAnswers();
  readonly #options: WorkersOptions;
  readonly #processes: Processes;
  readonly #scrapes: WorkerScrapes;
  #feed: WorkerFeed | undefined = undefined;
  #pool: WorkerPool | undefined = undefined;
  #listeners: HandingListener[] = [];
  #aux: GrpcDoor | undefined = undefined;
  #directory: WorkerDirectory | undefined = undefined;
  #verdicts: NodeJS.Timeout | undefined = undefined;
  #isServing = false;
  #isDraining = false;
  #hasBuilt = false;
  /** Why keys could not be fetched, by address: each worker fetches them, and they mostly fail alike. */
  readonly #keyTroubles = new Map<string, string>();

  constructor(options: WorkersOptions) {
    if (options.processes === undefined)
      throw new PosternError('ERR_POSTERN_CONFIG', '--workers above 1 is for postern serve alone');
    this.#options = options;
    this.#processes = options.processes;
    this.#scrapes = new WorkerScrapes({
      metrics: options.metrics,
      count: options.config.workers,
      workers: () =>
        (this.#pool?.all ?? []).map((worker) => ({
          id: worker.id,
          isServing: worker.isServing,
          isEnding: worker.isLeaving || this.#isDraining,
          ask: () => worker.metrics(),
        })),
    });
  }

  /** What the store of the main process is to tell. */
  readonly storeHooks: Pick<StoreOptions, 'onBegin' | 'onSettled' | 'horizon'> = {
    horizon: () => this.#feed?.horizon,
    onBegin: () => this.#feed?.began(),
    onSettled: () => this.#feed?.settled(),
  };

  /** Why the instance should get no checks, besides what its source says. */
  readonly readiness: Pick<PolicySourceAdapter, 'notReady' | 'awaited'> = {
    // Nobody can serve what was not built yet: then what that waits for is the reason.
    notReady: () => (this.#hasBuilt ? this.#pool?.notReady : undefined) ?? this.#options.adapter.notReady?.(),
    awaited: () => this.#options.adapter.awaited?.(),
  };

  /** What the source gives its objects to. */
  get feed(): PolicyFeed | undefined {
    return this.#feed;
  }

  /** Keys of rate limits that workers hold. */
  get size(): number {
    return (this.#pool?.all ?? []).reduce((sum, { keys }) => sum + keys, 0);
  }

  built(build: Build): void {
    this.#hasBuilt = true;
    this.#feed?.built(build);
  }

  failed(): void {
    this.#feed?.failed();
  }

  /** @throws {PosternError} what a door that this process opened itself would throw */
  async start(store: PolicyStore, { onServed, onOpen }: Started): Promise<CheckDoors> {
    const { config, clock } = this.#options;
    onOpen({ drain: (timeoutMs, delayMs) => this.#drain(timeoutMs, delayMs) });
    // Each worker reads them; what is wrong with them is said once, before any begins.
    if (config.tls !== undefined) await readCertificates(config.tls);
    this.#directory = await makeDirectory(clock);
    const grpc = await this.#listen('grpc-addr', config.grpcAddress);
    const http = config.http && (await this.#listen('http-addr', config.http.address));
    this.#aux = await this.#startAux();
    const feed = new WorkerFeed({
      store,
      answers: this.answers,
      horizon: this.#options.adapter.horizon,
      onBatch: (batch, tookMs) => this.#pool?.build(batch, tookMs),
      onServed,
      rest: (ms) => pause(ms),
    });
    this.#feed = feed;
    this.#pool = this.#makePool(feed, { grpc, http });
    const begun = this.#pool.start();
    const { notNow, heldUntilMs } = this.#options.adapter;
    if (notNow !== undefined)
      this.#verdicts = setInterval(() => {
        const refusal = notNow();
        const held = heldUntilMs?.() ?? Number.NEGATIVE_INFINITY;
        this.#pool?.send({
          kind: 'verdict',
          verdict: {
            refusal,
            sentWallMs: clock.wallMs(),
            sentMs: clock.monotonicMs() + machineMonotonicMs,
            heldUntilMs: held + machineMonotonicMs,
          },
        });
      }, VERDICT_EVERY_MS);
    await begun;
    return {
      grpcAddress: addressText(grpc),
      httpAddress: http,
      setServing: (isServing) => this.#setServing(isServing),
      drain: (timeoutMs, delayMs) => this.#drain(timeoutMs, delayMs),
    };
  }

  async #listen(door: HandedDoor, address: ListenAddress): Promise<ListenAddress> {
    const { log } = this.#options;
    const listener = await startHandingListener({
      address,
      flag: door,
      give: (connection) => {
        if (this.#pool === undefined) connection.destroy();
        else this.#pool.give(door, connection);
      },
      onError: (error) => log.error('A listener failed', { flag: door, error }),
    });
    this.#listeners.push(listener);
    return listener.address;
  }

  /** Reflection stays with this process, where it has an address of its own. */
  async #startAux(): Promise<GrpcDoor | undefined> {
    const { config, clock } = this.#options;
    if (config.grpcAuxAddress === undefined) return undefined;
    const { maxReceiveBytes, maxConnectionAgeMs, grpcAuxAddress: address } = config;
    const common = { address, flag: 'grpc-aux-addr', check: undefined, clock, hasReflection: true };
    const tls = config.tls && untoldTls(config.tls, clock);
    return startGrpcDoor({ ...common, maxReceiveBytes, maxConnectionAgeMs, tls });
  }

  #makePool(feed: WorkerFeed, { grpc, http }: Bound): WorkerPool {
    const { config, clock, adapter, labels } = this.#options;
    const { program, otel, onLines } = this.#processes;
    return new WorkerPool({
      program,
      count: config.workers,
      clock,
      start: {
        // Where it really listens: a port that was chosen is the same for all.
        options: { ...config.texts, 'grpc-addr': addressText(grpc), ...(http && { 'http-addr': addressText(http) }) },
        otel,
        apiServer: adapter.cluster?.apiServer,
        labels,
        directory: this.#directory?.path ?? '',
        hasVerdicts: adapter.notNow !== undefined,
      },
      whole: () => feed.whole,
      onServed: (number) => feed.served(number),
      onMessage: (message) => this.#hear(message),
      onLines,
      onEnd: (worker, end) => this.#ended(worker, end),
      onStart: ({ generation }) => {
        if (generation > 1) this.#scrapes.restarted();
      },
      isServing: () => this.#isServing,
    });
  }

  #hear(message: FromWorker): void {
    if (message.kind !== 'keys') return;
    const { url, why } = message;
    if (why === undefined) this.#keyTroubles.delete(url);
    else if (this.#keyTroubles.get(url) !== why) {
      // Policies name as many addresses as they like.
      if (this.#keyTroubles.size >= MOST_TROUBLES) this.#keyTroubles.clear();
      this.#keyTroubles.set(url, why);
      sayKeysFailed(this.#options.log, url, why);
    }
  }

  #ended({ id, index }: WorkerProcess, { code, signal, why }: WorkerEnd & { readonly why: string | undefined }): void {
    const { log } = this.#options;
    this.#scrapes.ended(id);
    const how = { worker: index, ...(code !== null && { code }), ...(signal !== null && { signal }) };
    log.error('A worker ended; another one takes its place', { ...how, ...(why !== undefined && { why }) });
  }

  #setServing(isServing: boolean): void {
    this.#isServing = isServing;
    this.#pool?.send({ kind: 'serving', isServing });
    this.#aux?.setServing(isServing);
  }

  async #drain(timeoutMs: number, delayMs: number): Promise<void> {
    this.#isServing = false;
    this.#isDraining = true;
    const ended = this.#pool?.end(timeoutMs, delayMs) ?? Promise.resolve();
    await Promise.race([ended, pause(Math.min(delayMs, timeoutMs), undefined, { ref: false })]);
    for (const listener of this.#listeners) listener.stop();
    await Promise.all([ended, this.#aux?.drain(timeoutMs)]);
    clearInterval(this.#verdicts);
    this.#directory?.remove();
  }
}

interface Bound {
  readonly grpc: ListenAddress;
  readonly http: ListenAddress | undefined;
}
