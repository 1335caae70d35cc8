import type { Socket } from 'node:net';
import type { FromWorker, ToWorker, WorkerStart } from './messages.ts';

type Drain = Extract<ToWorker, { kind: 'drain' }>;
type Listener = (message: ToWorker, connection: Socket | undefined) => void;

/** The main process, as a worker knows it. */
export class MainProcess {
  /** What it says first. */
  readonly start: Promise<WorkerStart>;
  /** How it wants this worker to end; undefined when it is gone itself. */
  readonly end: Promise<Pick<Drain, 'timeoutMs' | 'delayMs'> | undefined>;
  /** All workers have drained, or the main process is gone. */
  readonly leave: Promise<void>;
  readonly #process: NodeJS.Process;
  /** What came before anybody listened. */
  #early: Parameters<Listener>[] = [];
  #listener: Listener | undefined = undefined;

  constructor(process: NodeJS.Process) {
    this.#process = process;
    const start = Promise.withResolvers<WorkerStart>();
    const end = Promise.withResolvers<Pick<Drain, 'timeoutMs' | 'delayMs'> | undefined>();
    const leave = Promise.withResolvers<void>();
    this.leave = leave.promise;
    this.start = start.promise;
    this.end = end.promise;
    process.on('message', (given, connection) => {
      const message = given as ToWorker;
      if (message.kind === 'start') start.resolve(message.start);
      else if (message.kind === 'drain') end.resolve(message);
      else if (message.kind === 'leave') leave.resolve();
      else this.#take(message, connection as Socket | undefined);
    });
    const gone = (): void => {
      end.resolve(undefined);
      leave.resolve();
    };
    process.once('disconnect', gone);
    if (!process.connected) gone();
  }

  /** Told of everything else that it says, from the first word on. */
  listen(listener: Listener): void {
    this.#listener = listener;
    for (const [message, connection] of this.#early.splice(0)) listener(message, connection);
  }

  /** What cannot be said any more is for nobody. */
  say(message: FromWorker): void {
    if (this.#process.connected) this.#process.send?.(message, undefined, {}, () => undefined);
  }

  /** Resolves when it is on its way: until then this process has to stay. */
  sayLast(message: FromWorker): Promise<void> {
    if (!this.#process.connected) return Promise.resolve();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#process.send?.(message, undefined, {}, () => resolve());
    return promise;
  }

  #take(message: ToWorker, connection: Socket | undefined): void {
    if (this.#listener === undefined) this.#early.push([message, connection]);
    else this.#listener(message, connection);
  }
}
