import { type ChildProcess, fork } from 'node:child_process';
import type { MetricsExport } from '../telemetry/metrics-export.ts';
import { GivenConnections } from './given-connections.ts';
import type { FromWorker, ToWorker } from './messages.ts';
import { wholeLines } from './whole-lines.ts';
import type { Batch } from './worker-feed.ts';

/** How a worker ended: its exit code or the signal that ended it. */
export interface WorkerEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface WorkerProcessOptions {
  /** The file of the program, which begins as a worker when its first argument says so. */
  readonly program: string;
  readonly index: number;
  readonly generation: number;
  readonly onMessage: (message: FromWorker) => void;
  /** Whole lines of its log. */
  readonly onLines: (lines: string) => void;
  /** It is gone, and everything that it said was told. */
  readonly onEnd: (end: WorkerEnd) => void;
}

/** Changes of one message: a large batch keeps no check waiting while it is read. */
const CHANGES_AT_ONCE = 64;
/** More workers than there can be. */
const MOST_INDEXES = 1000;
/** Looks at a worker that says nothing, after which it is given no connection. */
const QUIET_LOOKS = 3;

type WhyNotBegun = Pick<Extract<FromWorker, { kind: 'notBegun' }>, 'why' | 'code'>;

/** Looks that are waited. */
interface Patience {
  readonly silent: number;
  readonly owing: (buildMs: number) => number;
}

/** One worker, as the main process knows it. */
export class WorkerProcess {
  readonly index: number;
  readonly generation: number;
  readonly given: GivenConnections;
  readonly #child: ChildProcess;
  #isLoaded = false;
  #hasState = false;
  /** The newest batch that it was told of, and the newest that it serves. */
  #told = 0;
  #serves = 0;
  /** Looks since it last said anything, and since it last served what it owes. */
  #silentLooks = 0;
  #owingLooks = 0;
  /** It is about to take connections no more. */
  isLeaving = false;
  /** It could not build what it was told last. */
  #hasFailed = false;
  /** The longest build of the main process among those that it owes. */
  #owedMs = 0;
  keys = 0;
  #whyNotBegun: WhyNotBegun | undefined = undefined;
  /** Who waits for what it counted. */
  #asked: PromiseWithResolvers<MetricsExport> | undefined = undefined;

  constructor({ program, index, generation, onMessage, onLines, onEnd }: WorkerProcessOptions) {
    this.index = index;
    this.generation = generation;
    this.#child = fork(program, ['worker', String(index)], {
      serialization: 'advanced',
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    });
    this.given = new GivenConnections(this.#child);
    let isOver = false;
    const end = (how: WorkerEnd): void => {
      if (isOver) return;
      isOver = true;
      this.#asked?.reject(new Error('It has ended'));
      onEnd(how);
    };
    // What cannot be sent any more goes to a process whose end is told; one that never began has no other end.
    this.#child.on('error', () => {
      if (this.#child.pid === undefined) end({ code: null, signal: null });
    });
    this.#child.on('message', (message) => {
      this.#hear(message as FromWorker);
      onMessage(message as FromWorker);
    });
    if (this.#child.stdout !== null) wholeLines(this.#child.stdout, onLines);
    this.#child.once('close', (code, signal) => end({ code, signal }));
  }

  /** One number for each process. */
  get id(): number {
    return this.generation * MOST_INDEXES + this.index;
  }

  /** It answers checks by some snapshot. */
  get isServing(): boolean {
    return this.#serves > 0 && !this.isLeaving;
  }

  /** It says that it lives. */
  get isAnswering(): boolean {
    return this.#silentLooks < QUIET_LOOKS;
  }

  /** It serves something older than what it was told, and cannot do better for now. */
  get isBehind(): boolean {
    return this.#hasFailed;
  }

  /** Why it ended before its doors were there, as it said itself. */
  get whyNotBegun(): WhyNotBegun | undefined {
    return this.#whyNotBegun;
  }

  get serves(): number {
    return this.#serves;
  }

  /** Its doors are there. */
  get isLoaded(): boolean {
    return this.#isLoaded;
  }

  /** It was given what serves, and needs only what comes since. */
  get hasState(): boolean {
    return this.#hasState;
  }

  /**
   * Gives it a batch: all there is, or what came since.
   *
   * @param tookMs how long the main process took for it
   */
  build({ number, changes, secrets, records }: Batch, tookMs: number): void {
    this.#hasState = true;
    this.#owedMs = Math.max(this.#owes ? this.#owedMs : 0, tookMs);
    this.#told = number;
    for (let from = 0; from < changes.length; from += CHANGES_AT_ONCE)
      this.send({ kind: 'changes', changes: changes.slice(from, from + CHANGES_AT_ONCE) });
    if (secrets.length > 0) this.send({ kind: 'secrets', secrets });
    this.send({ kind: 'build', number, records });
  }

  send(message: ToWorker): void {
    this.#child.send(message, undefined, {}, () => undefined);
  }

  /**
   * Counts a look at it.
   *
   * @param patience how many looks long it may say nothing, or owe a batch that took so long here
   * @returns why it is of no use any more; undefined while it is
   */
  look({ silent, owing }: Patience): string | undefined {
    this.#silentLooks += 1;
    // Before there is anything to serve, however long that takes, it owes nothing but to be there.
    this.#owingLooks = this.#isLoaded && !this.#owes ? 0 : this.#owingLooks + 1;
    if (this.#silentLooks > silent) return 'it does not answer';
    return this.#owingLooks > owing(this.#owedMs) ? 'it did not build in time what serves here' : undefined;
  }

  /** What it counted since it was asked the last time; asked by one at a time. Rejects when it ends. */
  metrics(): Promise<MetricsExport> {
    this.#asked = Promise.withResolvers<MetricsExport>();
    this.send({ kind: 'metrics' });
    return this.#asked.promise;
  }

  kill(): void {
    this.#child.kill('SIGKILL');
  }

  get #owes(): boolean {
    return this.#serves < this.#told;
  }

  #hear(message: FromWorker): void {
    this.#silentLooks = 0;
    if (message.kind === 'loaded') this.#isLoaded = true;
    else if (message.kind === 'notBegun') this.#whyNotBegun = message;
    else if (message.kind === 'taken') this.given.taken();
    else if (message.kind === 'notBuilt') this.#hasFailed = true;
    else if (message.kind === 'served') {
      this.#serves = message.number;
      this.#hasFailed = false;
      this.#owingLooks = 0;
    } else if (message.kind === 'metrics') this.#asked?.resolve(message.metrics);
    else if (message.kind === 'alive') {
      this.given.told(message.closed);
      this.keys = message.keys;
    }
  }
}
