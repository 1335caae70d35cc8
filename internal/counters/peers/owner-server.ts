import { chmodSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { machineMonotonicMs } from '../../core/clock.ts';
import type { CounterState, Moment } from '../../phases/ratelimit/counter-store.ts';
import type { MemoryStore } from '../memory-store.ts';
import { writeAnswer } from './answer-frames.ts';
import { type Ask, AskReader, type CalendarNamed } from './ask-frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { FrameSplitter, GIVE_BACK, NonsenseError } from './frames.ts';

/** Counters in this process, which answer at once. */
export type OwnCounters = Pick<MemoryStore, 'take' | 'giveBack'>;

export interface OwnerServerOptions {
  /** The counters that this worker owns. */
  readonly local: OwnCounters;
  readonly calendarNamed: CalendarNamed;
  /** Told why a connection was ended. */
  readonly onTrouble: (why: string) => void;
}

/** For this process's user alone; the directory is that too. */
const SOCKET_MODE = 0o600;

/** Answers what other workers ask of the counters that this one owns: what came at once, in one write. */
export class OwnerServer {
  readonly #options: OwnerServerOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #writer = new FrameWriter();
  readonly #reader: AskReader;

  constructor(options: OwnerServerOptions) {
    this.#options = options;
    this.#reader = new AskReader(options.calendarNamed);
    this.#server = createServer((socket) => this.#accept(socket));
  }

  /** @throws {Error} of `listen`, where it cannot be listened there */
  async listen(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#server.once('error', reject);
    this.#server.listen(path, resolve);
    await promise;
    this.#server.off('error', reject);
    this.#server.on('error', (error) => this.#options.onTrouble(`no connection could be taken: ${error.message}`));
    chmodSync(path, SOCKET_MODE);
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    if (!this.#server.listening) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#server.close(() => resolve());
    await promise;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    const splitter = new FrameSplitter((bytes, from, to) => this.#answer(this.#reader.read(bytes, from, to)));
    socket.on('data', (chunk: Buffer) => this.#read(socket, splitter, chunk));
    // What went wrong is followed by its close.
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
  }

  #read(socket: Socket, splitter: FrameSplitter, chunk: Buffer): void {
    let why: string | undefined;
    try {
      splitter.push(chunk);
    } catch (error) {
      why = error instanceof NonsenseError ? error.message : `what failed: ${String(error)}`;
    }
    // Who does not read answers is not read any further: what waits for it stays bounded.
    if (this.#writer.size > 0 && !socket.write(this.#writer.take())) {
      socket.pause();
      socket.once('drain', () => socket.resume());
    }
    if (why === undefined) return;
    this.#options.onTrouble(`a worker asked with ${why}`);
    socket.destroy();
  }

  #answer({ kind, id, moment, takes }: Ask): void {
    const { local } = this.#options;
    const own: Moment = { monotonicMs: moment.monotonicMs - machineMonotonicMs, wallMs: moment.wallMs };
    let states: readonly CounterState[] | undefined;
    try {
      if (kind === GIVE_BACK) local.giveBack(takes, own);
      else states = local.take(takes, own);
    } catch {
      // Whatever it was, the limit's `onFault` decides on it where it was asked.
    }
    if (kind !== GIVE_BACK) writeAnswer(this.#writer, id, states);
  }
}
