import type { Socket } from 'node:net';
import type { CallBound, Ending } from '../core/door-bounds.ts';
import type { Http2Bounds } from './bounds.ts';
import { Calls, streamWindow } from './calls.ts';
import { ERROR, MAX_STREAM, SETTING } from './codes.ts';
import { ConnectionError, tooMuch } from './connection-error.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameWriter } from './frame-writer.ts';
import type { GrpcMethods } from './grpc-method.ts';
import type { HeldMessages } from './held-messages.ts';
import { Incoming } from './incoming.ts';
import { Patience } from './patience.ts';
import { type ForeignProtocol, Preface } from './preface.ts';
import { settingsFrame } from './settings.ts';
import type { WriteBuffers } from './write-buffers.ts';

export interface ConnectionOptions {
  readonly bounds: Http2Bounds;
  readonly methods: GrpcMethods;
  readonly maxMessageBytes: number;
  readonly buffers: WriteBuffers;
  readonly held: HeldMessages;
  readonly monotonicMs: () => number;
  /** Told why a connection is ended that nobody asked to end. */
  readonly onEnding: (ending: Ending, error: unknown, peer: string) => void;
  readonly onRefused: (bound: CallBound) => void;
  readonly onForeign: (protocol: ForeignProtocol, peer: string) => void;
}

/** Nothing more is read from a peer that has so much unread. */
const PAUSE_BYTES = 256 * 1024;
/** How long a peer that is told to go may take to close. */
const LINGER_MS = 1000;
/** Longer than a round trip: by then nothing is on its way any more. */
const NOTICE_MS = 1000;
const PING = Buffer.from('postern?');

/** One connection: what its socket brings, what goes out in the same turn, and how it ends. */
export class Connection {
  readonly #socket: Socket;
  readonly #options: ConnectionOptions;
  readonly #preface = new Preface();
  readonly #writer: FrameWriter;
  readonly #calls: Calls;
  readonly #incoming: Incoming;
  readonly #reader: FrameReader;
  readonly #peer: string;
  readonly #patience: Patience;
  #isReading = false;
  #isFlushDue = false;
  /** Nothing is read or answered any more. */
  #isOver = false;
  #overMs = 0;
  #isPaused = false;
  #isRetired = false;
  #hasGoneAway = false;
  /** For the end of its age, then for the end of the notice, then for the end of the grace. */
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(socket: Socket, options: ConnectionOptions) {
    const { bounds, methods, maxMessageBytes } = options;
    this.#socket = socket;
    this.#options = options;
    this.#peer = socket.remoteAddress ?? '';
    this.#writer = new FrameWriter(socket, options.buffers);
    this.#calls = new Calls({
      bounds,
      methods,
      maxMessageBytes,
      held: options.held,
      writer: this.#writer,
      onRefused: options.onRefused,
      onWritten: () => this.#flushSoon(),
      onEmpty: () => this.#finishIfDone(),
      onError: (error) => this.#fail(error),
    });
    this.#incoming = new Incoming({ bounds, calls: this.#calls, writer: this.#writer, news: this });
    this.#reader = new FrameReader(this.#incoming);
    this.#calls.nowMs = options.monotonicMs();
    this.#patience = new Patience(bounds, this.#calls.nowMs);
    this.#greet();
    socket.on('data', (chunk: Buffer) => this.#read(chunk));
    socket.on('drain', () => this.#resume());
    socket.on('close', () => this.#closed());
  }

  /** Asks it to end after a time; it may then take another one for its last calls. */
  retireIn(ageMs: number, graceMs: number): void {
    this.#after(ageMs, () => this.retire(graceMs));
  }

  /**
   * Gives notice with a GOAWAY that names the highest stream there can be (RFC 9113 §6.8), so that what is on its way is
   * served, and a little later the final one; cuts it off after `graceMs`.
   */
  retire(graceMs: number): void {
    if (this.#isRetired || this.#isOver) return;
    this.#isRetired = true;
    const noticeMs = Math.min(NOTICE_MS, graceMs / 2);
    this.#writer.goaway(MAX_STREAM, ERROR.none, '');
    this.#flush();
    this.#after(noticeMs, () => {
      this.#after(graceMs - noticeMs, () => this.destroy());
      this.#leave();
    });
  }

  /** Ends it now. */
  destroy(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#socket.destroy();
  }

  /** What has taken too long; asked now and then. */
  look(nowMs: number): void {
    if (this.#isOver) {
      if (nowMs - this.#overMs > LINGER_MS) this.#socket.destroy();
      return;
    }
    try {
      if (this.#patience.look(nowMs, this.#socket, !this.#isPaused)) this.#writer.ping(0, PING);
      this.#calls.look(nowMs);
    } catch (error) {
      this.#fail(error);
    }
    this.#flush();
  }

  onSettings(): void {
    this.#patience.hasSettings = true;
  }

  onSettingsAck(): void {
    this.#patience.isAcknowledged = true;
  }

  /** It is about the streams of this side, of which there are none (RFC 9113 §6.8): those on their way are served. */
  onGoaway(): void {
    this.#calls.endWhenEmpty();
  }

  #greet(): void {
    const { bounds, maxMessageBytes } = this.#options;
    const settings = new Map<number, number>([
      [SETTING.headerTableSize, bounds.headerTableBytes],
      [SETTING.maxConcurrentStreams, bounds.maxStreams],
      [SETTING.initialWindowSize, streamWindow(maxMessageBytes)],
      [SETTING.maxHeaderListSize, bounds.maxHeaderBytes],
    ]);
    this.#writer.prepared(settingsFrame(settings), 0);
    this.#incoming.replenish();
    this.#flush();
  }

  #read(chunk: Buffer): void {
    if (this.#isOver) return;
    const nowMs = this.#options.monotonicMs();
    this.#calls.nowMs = nowMs;
    this.#isReading = true;
    try {
      this.#frames(chunk);
      this.#incoming.replenish();
      this.#patience.read(nowMs, this.#reader.count, this.#reader.isInFrame, this.#incoming.blockStream);
    } catch (error) {
      this.#fail(error);
    }
    this.#isReading = false;
    this.#finishIfDone();
    this.#flush();
  }

  #frames(chunk: Buffer): void {
    if (this.#preface.isWhole) {
      this.#reader.read(chunk);
      return;
    }
    const start = this.#preface.read(chunk);
    if (typeof start === 'number') {
      if (start < chunk.length) this.#reader.read(chunk.subarray(start));
      return;
    }
    this.#options.onForeign(start, this.#peer);
    throw new ConnectionError(ERROR.protocol, `The peer speaks ${start}`, 'foreign');
  }

  /** Ends it with the code that its peer has earned; never throws. */
  #fail(error: unknown): void {
    if (this.#isOver) return;
    const known =
      error instanceof ConnectionError ? error : new ConnectionError(ERROR.internal, 'internal', 'internal');
    this.#tell(known.ending, error);
    if (known.ending !== 'foreign') this.#writer.goaway(this.#calls.numbers.last, known.code, known.message);
    this.#end();
    // What it goes on to send is not worth reading.
    this.#socket.pause();
  }

  /** Whatever becomes of the telling, the connection ends. */
  #tell(ending: Ending, error: unknown): void {
    try {
      this.#options.onEnding(ending, error, this.#peer);
    } catch {
      // Nobody is left to tell.
    }
  }

  /** Nothing on its way any more: no new calls, and the end when the last one is over. */
  #leave(): void {
    if (this.#isOver || this.#hasGoneAway) return;
    this.#hasGoneAway = true;
    this.#writer.goaway(this.#calls.numbers.last, ERROR.none, '');
    this.#calls.refuseNew();
    this.#flush();
  }

  /** What a piece of the socket brings behind the last answer may be another call. */
  #finishIfDone(): void {
    if (this.#isOver || this.#isReading || !this.#calls.isDone) return;
    if (!this.#hasGoneAway) this.#writer.goaway(this.#calls.numbers.last, ERROR.none, '');
    this.#end();
  }

  #end(): void {
    this.#isOver = true;
    this.#reader.stop();
    this.#overMs = this.#options.monotonicMs();
    this.#writer.flush();
    this.#socket.end();
    this.#calls.dropAll();
  }

  /** What is written while something is read goes out at the end of that; all else at the end of its turn. */
  #flushSoon(): void {
    if (this.#isReading || this.#isFlushDue) return;
    this.#isFlushDue = true;
    process.nextTick(() => {
      this.#isFlushDue = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isOver) return;
    this.#writer.flush();
    const { maxUnsentBytes } = this.#options.bounds;
    if (this.#socket.writableLength > maxUnsentBytes) {
      this.#fail(tooMuch('unsent_bytes', `More than ${maxUnsentBytes} bytes of answers are not taken`));
      return;
    }
    if (this.#isPaused || this.#socket.writableLength <= PAUSE_BYTES) return;
    this.#isPaused = true;
    this.#socket.pause();
  }

  #resume(): void {
    if (!this.#isPaused || this.#isOver) return;
    this.#isPaused = false;
    this.#patience.resumed(this.#options.monotonicMs());
    this.#socket.resume();
  }

  #closed(): void {
    this.#isOver = true;
    clearTimeout(this.#timer);
    this.#calls.dropAll();
  }

  #after(ms: number, act: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(act, ms);
    this.#timer.unref();
  }
}
