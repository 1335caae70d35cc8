import { connect, type Socket } from 'node:net';
import type { CounterState, Moment, Take } from '../../phases/ratelimit/counter-store.ts';
import { idOfAnswer, statesOfAnswer } from './answer-frames.ts';
import { writeAsk } from './ask-frames.ts';
import { FrameWriter } from './frame-writer.ts';
import { FrameSplitter, GIVE_BACK, NonsenseError, TAKE } from './frames.ts';
import type { PeerBounds } from './peer-bounds.ts';
import { PendingAsks } from './pending-asks.ts';
import { StallWatch } from './stall-watch.ts';

export interface OwnerLinkOptions {
  readonly bounds: PeerBounds;
  /** Told why the connection to the owner was given up. */
  readonly onTrouble: (why: string) => void;
}

const AWAY = new Error('The worker that has these counters is away');
const STALLED = new Error('The worker that has these counters does not answer');
const FULL = new Error('Too many asks wait for the worker that has these counters');
const UNTOLD = new Error('The worker that has these counters could not tell');

/**
 * What this worker asks of one other, which owns the counters. All asks of one turn of the event loop go in one write.
 * Who is not connected is not waited for: asks fail at once, those that were on their way too, and so do those to an
 * owner that has stalled. No ask has a timer.
 */
export class OwnerLink {
  readonly #options: OwnerLinkOptions;
  readonly #writer = new FrameWriter();
  readonly #pending = new PendingAsks();
  readonly #stall: StallWatch;
  #path: string | undefined;
  /** The one that is open, or opening. */
  #socket: Socket | undefined;
  #isOpen = false;
  #isFlushing = false;
  #retry: NodeJS.Timeout | undefined;
  #opened = Promise.withResolvers<void>();

  constructor(options: OwnerLinkOptions) {
    this.#options = options;
    this.#stall = new StallWatch(options.bounds.stallMs, this.#pending, STALLED);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Resolves when it is connected. */
  get opened(): Promise<void> {
    return this.#opened.promise;
  }

  /** Connects to the process that listens there, now or as soon as it does; undefined: there is none. */
  connectTo(path: string | undefined): void {
    if (path === this.#path) return;
    this.#path = path;
    this.#drop();
    this.#connect();
  }

  /** @throws {Error} where the owner cannot be asked now */
  take(takes: readonly Take[], moment: Moment): Promise<readonly CounterState[]> {
    const { maxAsks, maxUnreadBytes } = this.#options.bounds;
    if (!this.#isOpen) throw AWAY;
    if (this.#stall.hasStalled) throw STALLED;
    if (this.#pending.size >= maxAsks || this.#unreadBytes >= maxUnreadBytes) throw FULL;
    writeAsk(this.#writer, { kind: TAKE, id: this.#pending.nextId, moment, takes });
    this.#flushSoon();
    this.#stall.watch();
    return this.#pending.add(takes.length);
  }

  /** @throws {Error} where the owner cannot be told now: what was taken stays taken */
  giveBack(takes: readonly Take[], taken: Moment): void {
    if (!this.#isOpen) throw AWAY;
    if (this.#unreadBytes >= this.#options.bounds.maxUnreadBytes) throw FULL;
    writeAsk(this.#writer, { kind: GIVE_BACK, id: 0, moment: taken, takes });
    this.#flushSoon();
  }

  close(): void {
    this.connectTo(undefined);
  }

  get #unreadBytes(): number {
    return this.#writer.size + (this.#socket?.writableLength ?? 0);
  }

  #flushSoon(): void {
    if (this.#isFlushing) return;
    this.#isFlushing = true;
    setImmediate(this.#flush);
  }

  readonly #flush = (): void => {
    this.#isFlushing = false;
    if (this.#isOpen && this.#writer.size > 0) this.#socket?.write(this.#writer.take());
  };

  #connect(): void {
    if (this.#path === undefined) return;
    const socket = connect(this.#path);
    this.#socket = socket;
    const splitter = new FrameSplitter((bytes, from, to) => this.#answered(bytes, from, to));
    socket.on('connect', () => {
      if (socket !== this.#socket) return;
      this.#isOpen = true;
      this.#opened.resolve();
    });
    socket.on('data', (chunk: Buffer) => {
      if (socket === this.#socket) this.#read(splitter, chunk);
    });
    // What went wrong is followed by its close.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      if (socket !== this.#socket) return;
      this.#drop();
      this.#retry = setTimeout(() => this.#connect(), this.#options.bounds.reconnectMs).unref();
    });
  }

  #read(splitter: FrameSplitter, chunk: Buffer): void {
    this.#stall.answered();
    try {
      splitter.push(chunk);
    } catch (error) {
      const why = error instanceof NonsenseError ? error.message : `what failed: ${String(error)}`;
      this.#options.onTrouble(`it answered with ${why}`);
      this.#socket?.destroy();
    }
  }

  #answered(bytes: Buffer, from: number, to: number): void {
    const length = this.#pending.lengthOf(idOfAnswer(bytes, from, to));
    if (length === undefined) throw new NonsenseError('an answer to an ask that was not next');
    this.#pending.settle(statesOfAnswer(bytes, { from, to, length }), UNTOLD);
  }

  /** Ends the connection and all that was asked over it. */
  #drop(): void {
    clearTimeout(this.#retry);
    if (this.#isOpen) this.#opened = Promise.withResolvers();
    this.#isOpen = false;
    const socket = this.#socket;
    this.#socket = undefined;
    socket?.destroy();
    if (this.#writer.size > 0) this.#writer.take();
    this.#pending.clear(AWAY);
    this.#stall.reset();
  }
}
