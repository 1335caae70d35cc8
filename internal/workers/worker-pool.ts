import type { Socket } from 'node:net';
import type { Clock } from '../core/clock.ts';
import { PosternError } from '../core/error.ts';
import { ConnectionTurns } from './connection-turns.ts';
import type { FromWorker, HandedDoor, ToWorker, WorkerStart } from './messages.ts';
import { BUILDS, END_GRACE_MS, type PoolTimes, TIMES } from './pool-times.ts';
import { RestartDelay } from './restart-delay.ts';
import { WaitingConnections } from './waiting-connections.ts';
import type { Batch } from './worker-feed.ts';
import { type WorkerEnd, WorkerProcess } from './worker-process.ts';

export interface WorkerPoolOptions {
  readonly program: string;
  readonly count: number;
  readonly clock: Clock;
  /** What all workers are told; the rest is of each. */
  readonly start: Omit<WorkerStart, 'index' | 'generation' | 'count' | 'peers'>;
  /** All that serves, for one that begins; undefined while it is being built. */
  readonly whole: () => Batch | undefined;
  /** Every worker serves the batches up to this one. */
  readonly onServed: (number: number) => void;
  readonly onMessage: (message: FromWorker, worker: WorkerProcess) => void;
  readonly onLines: (lines: string) => void;
  readonly onEnd: (worker: WorkerProcess, end: WorkerEnd & { readonly why: string | undefined }) => void;
  readonly onStart?: (worker: WorkerProcess) => void;
  /** Whether the gRPC health of the instance is SERVING. */
  readonly isServing: () => boolean;
  readonly times?: Partial<PoolTimes>;
}

/** The processes that answer checks: started, given every batch, replaced when they end or are of no use. */
export class WorkerPool {
  readonly #options: WorkerPoolOptions;
  readonly #times: PoolTimes;
  readonly #workers = new Map<number, WorkerProcess>();
  readonly #generations = new Map<number, number>();
  readonly #delays = new Map<number, RestartDelay>();
  readonly #restarts = new Set<NodeJS.Timeout>();
  readonly #whys = new Map<WorkerProcess, string>();
  readonly #begun = Promise.withResolvers<void>();
  /** Of the first ones, those that ended of themselves before their doors were there. */
  #notBegun = 0;
  #looks: NodeJS.Timeout | undefined = undefined;
  readonly #waiting = new WaitingConnections();
  #longestBuildMs = 0;
  /** As many served at the same time as there should be. */
  #wereAllServing = false;
  #isEnding = false;
  #onEnded: (() => void) | undefined = undefined;
  readonly #turns = new ConnectionTurns();

  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    this.#times = { ...TIMES, ...options.times };
  }

  /**
   * Starts them all; resolves when the first one has its doors.
   *
   * @throws {PosternError | Error} where none could begin, with what the last one said: another one could not either
   */
  start(): Promise<void> {
    process.on('exit', this.#killAll);
    for (let index = 1; index <= this.#options.count; index += 1) this.#begin(index);
    this.#looks = setInterval(() => this.#look(), this.#times.lookMs);
    this.#looks.unref();
    return this.#begun.promise;
  }

  /** Why checks should not come here: nobody is there to answer them. */
  get notReady(): string | undefined {
    const { serving } = this;
    if (!this.#wereAllServing) return `${serving.length} of ${this.#options.count} workers serve`;
    if (serving.length === 0) return 'no worker serves';
    return serving.some(({ isAnswering }) => isAnswering) ? undefined : 'no worker answers';
  }

  get all(): readonly WorkerProcess[] {
    return [...this.#workers.values()];
  }

  get serving(): readonly WorkerProcess[] {
    return this.all.filter((worker) => worker.isServing);
  }

  /** @param tookMs how long it took to build here */
  build(batch: Batch, tookMs: number): void {
    this.#longestBuildMs = Math.max(this.#longestBuildMs, tookMs);
    const { whole } = this.#options;
    for (const worker of this.#workers.values()) {
      if (worker.hasState) worker.build(batch, tookMs);
      else if (worker.isLoaded) this.#giveWhole(worker, whole());
    }
    this.#tellServed();
  }

  send(message: ToWorker): void {
    for (const worker of this.#workers.values()) worker.send(message);
  }

  /** Hands a connection to whose turn it is; closes it where nobody would answer. Before anybody has doors, it waits. */
  give(door: HandedDoor, connection: Socket): void {
    const chosen = this.#turns.next();
    if (chosen !== undefined) chosen.given.give(door, connection);
    else if (this.all.some(({ isLoaded }) => isLoaded)) connection.destroy();
    else this.#waiting.add(door, connection);
  }

  /** Tells all to take what they have to its end; resolves when they are gone, of themselves or not. */
  async end(timeoutMs: number, delayMs: number): Promise<void> {
    this.#isEnding = true;
    for (const timer of this.#restarts) clearTimeout(timer);
    this.#waiting.close();
    // What has no doors yet has nothing to take to an end.
    for (const worker of this.#workers.values()) if (!worker.isLoaded) worker.kill();
    if (this.#workers.size > 0) {
      const { promise, resolve } = Promise.withResolvers<void>();
      this.#onEnded = resolve;
      this.send({ kind: 'drain', timeoutMs, delayMs });
      const timer = setTimeout(this.#killAll, timeoutMs + END_GRACE_MS);
      await promise;
      clearTimeout(timer);
    }
    clearInterval(this.#looks);
    process.off('exit', this.#killAll);
  }

  readonly #killAll = (): void => {
    for (const worker of this.#workers.values()) worker.kill();
  };

  #begin(index: number): void {
    const { program, clock, start, count, onMessage, onLines, onStart } = this.#options;
    const generation = (this.#generations.get(index) ?? 0) + 1;
    this.#generations.set(index, generation);
    const begunMs = clock.monotonicMs();
    const worker = new WorkerProcess({
      program,
      index,
      generation,
      onLines,
      onMessage: (message) => {
        this.#hear(worker, message);
        onMessage(message, worker);
      },
      onEnd: (end) => this.#ended(worker, end, clock.monotonicMs() - begunMs),
    });
    this.#workers.set(index, worker);
    this.#turns.add(worker);
    const peers = new Map([...this.#generations].filter(([other]) => other !== index));
    worker.send({ kind: 'start', start: { ...start, index, generation, count, peers } });
    onStart?.(worker);
  }

  #hear(worker: WorkerProcess, message: FromWorker): void {
    if (message.kind === 'loaded') {
      this.#begun.resolve();
      const { index, generation } = worker;
      for (const other of this.#workers.values()) if (other !== worker) other.send({ kind: 'peer', index, generation });
      worker.send({ kind: 'serving', isServing: this.#options.isServing() });
      this.#giveWhole(worker, this.#options.whole());
      this.#waiting.giveTo((door, connection) => this.give(door, connection));
    } else if (message.kind === 'drained') {
      worker.isLeaving = true;
      this.#letLeave();
    } else if (message.kind === 'served') {
      if (this.serving.length === this.#options.count) this.#wereAllServing = true;
      this.#tellServed();
    }
  }

  /** Those who have drained count for those who have not. */
  #letLeave(): void {
    if (this.all.every(({ isLeaving }) => isLeaving)) this.send({ kind: 'leave' });
  }

  #giveWhole(worker: WorkerProcess, whole: Batch | undefined): void {
    // Of all there is nobody knows how long it takes but by the longest build that there was.
    if (whole !== undefined) worker.build(whole, this.#longestBuildMs);
  }

  /** One that has not begun counts: what it will begin with may be older than what is told of here. */
  #tellServed(): void {
    const workers = this.all;
    if (!this.#wereAllServing || workers.length === 0) return;
    const least = Math.min(...workers.map(({ serves }) => serves));
    if (least > 0) this.#options.onServed(least);
  }

  #ended(worker: WorkerProcess, end: WorkerEnd, livedMs: number): void {
    const { index } = worker;
    this.#workers.delete(index);
    this.#turns.remove(worker);
    for (const [connection, door] of worker.given.takeBack()) this.give(door, connection);
    if (this.#isEnding) {
      this.#letLeave();
      if (this.#workers.size === 0) this.#onEnded?.();
      return;
    }
    this.#options.onEnd(worker, { ...end, why: this.#whys.get(worker) });
    this.#whys.delete(worker);
    if (this.#isHopeless(worker, end)) return;
    const delay = this.#delays.get(index) ?? new RestartDelay();
    this.#delays.set(index, delay);
    const timer = setTimeout(() => {
      this.#restarts.delete(timer);
      this.#begin(index);
    }, delay.after(livedMs));
    this.#restarts.add(timer);
    this.#tellServed();
  }

  /** Whoever ends by itself before it begins, as all others did, does so again; a killed one is another matter. */
  #isHopeless({ isLoaded, generation, whyNotBegun }: WorkerProcess, { code }: WorkerEnd): boolean {
    if (generation > 1) return false;
    if (isLoaded || code === null) {
      this.#begun.resolve();
      return false;
    }
    this.#notBegun += 1;
    if (this.#notBegun < this.#options.count) return false;
    const { why = `it ended with code ${code}`, code: kind } = whyNotBegun ?? { code: undefined };
    const message = `No worker could start: ${why}`;
    this.#begun.reject(kind === undefined ? new Error(message) : new PosternError(kind, message));
    return true;
  }

  #look(): void {
    if (this.#isEnding) return;
    const { lookMs, patienceMs } = this.#times;
    const silent = patienceMs / lookMs;
    const owing = (buildMs: number): number => Math.max(patienceMs, BUILDS * buildMs) / lookMs;
    for (const worker of this.#workers.values()) {
      const why = worker.look({ silent, owing });
      if (why === undefined) continue;
      this.#whys.set(worker, why);
      worker.kill();
    }
  }
}
