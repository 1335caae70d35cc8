import type { CallBound } from '../core/door-bounds.ts';
import type { Http2Bounds } from './bounds.ts';
import { Call, type CallHost } from './call.ts';
import { DEFAULT_WINDOW, ERROR } from './codes.ts';
import { ConnectionError } from './connection-error.ts';
import type { FrameWriter } from './frame-writer.ts';
import type { GrpcMethods } from './grpc-method.ts';
import { OK_TRAILERS } from './grpc-status.ts';
import type { HeldMessages } from './held-messages.ts';
import { PREFIX_BYTES } from './message-buffer.ts';
import { Rates } from './rates.ts';
import { REFUSED } from './refusals.ts';
import type { RequestHead } from './request-head.ts';
import { Sender } from './sender.ts';
import { StreamNumbers } from './stream-numbers.ts';

export interface CallsOptions {
  readonly bounds: Http2Bounds;
  readonly methods: GrpcMethods;
  /** Of one message, without its prefix. */
  readonly maxMessageBytes: number;
  /** What all connections hold. */
  readonly held: HeldMessages;
  readonly writer: FrameWriter;
  readonly onRefused: (bound: CallBound) => void;
  /** Something was written, in whatever turn. */
  readonly onWritten: () => void;
  /** No call is left, after `refuseNew` or `endWhenEmpty`. */
  readonly onEmpty: () => void;
  /** What ends the connection, where nobody is there to catch it. */
  readonly onError: (error: unknown) => void;
}

/** What a new stream may send: a whole message, so that no stream ever waits for more. */
export const streamWindow = (maxMessageBytes: number): number =>
  Math.max(DEFAULT_WINDOW, maxMessageBytes + PREFIX_BYTES);

/** The calls of one connection: opened by frames, ended by answers, by resets, or with the connection. */
export class Calls implements CallHost {
  /** The clock, read once for each turn. */
  nowMs = 0;
  readonly maxMessageBytes: number;
  readonly numbers = new StreamNumbers();
  readonly sender: Sender;
  readonly rates: Rates;
  readonly #open = new Map<number, Call>();
  readonly #options: CallsOptions;
  readonly #receiveWindow: number;
  #heldBytes = 0;
  #isClosing = false;
  #endsWhenEmpty = false;

  constructor(options: CallsOptions) {
    this.#options = options;
    this.maxMessageBytes = options.maxMessageBytes;
    this.#receiveWindow = streamWindow(options.maxMessageBytes);
    this.rates = new Rates(options.bounds);
    this.sender = new Sender(options.writer, options.bounds.maxUnsentBytes, (stream) => this.#sent(stream.id));
  }

  /** Whether none is open, and the connection is to end when that is so. */
  get isDone(): boolean {
    return this.#endsWhenEmpty && this.#open.size === 0;
  }

  /** Calls that are not answered; some may go while one looks. */
  values(): Iterable<Call> {
    return this.#open.values();
  }

  get(id: number): Call | undefined {
    return this.#open.get(id);
  }

  /** A new stream, whose number is higher than all before. @param counted see `Rates.block` */
  begin(id: number, head: RequestHead, endsStream: boolean, counted: number): void {
    const { bounds, methods, writer, onRefused } = this.#options;
    if (this.#isClosing) {
      this.numbers.ignore(id);
      this.rates.frame(this.nowMs);
      return;
    }
    this.numbers.open(id);
    if (this.#open.size >= bounds.maxStreams) {
      this.numbers.ignore(id);
      writer.reset(id, ERROR.refusedStream);
      onRefused('streams');
      this.rates.reset(this.nowMs);
      return;
    }
    const call = new Call(id, head, this, this.sender.settings.initialWindow, this.#receiveWindow);
    call.isReceiving = !endsStream;
    call.counted = counted;
    this.#open.set(id, call);
    if (head.flaw !== undefined || !head.isRequest) this.reset(call, ERROR.protocol);
    else if (head.bytes > bounds.maxHeaderBytes) this.#refuse(call, 'header_bytes');
    else call.begin(methods);
    if (endsStream) this.#endRequest(call);
  }

  data(call: Call, bytes: Buffer, start: number, end: number, endsStream: boolean): void {
    call.isReceiving = !endsStream;
    call.data(bytes, start, end, endsStream);
    if (endsStream) this.#endRequest(call);
  }

  /** Fields behind the request, which end it. */
  trailers(call: Call, head: RequestHead, endsStream: boolean): void {
    if (!endsStream || head.flaw !== undefined || head.hasPseudo) {
      this.reset(call, ERROR.protocol);
      return;
    }
    call.isReceiving = false;
    call.trailers();
    this.#endRequest(call);
  }

  /** The peer has broken a rule on this stream alone. */
  reset(call: Call, code: number): void {
    this.#options.writer.reset(call.id, code);
    if (call.isReceiving) this.numbers.ignore(call.id);
    this.drop(call);
    this.rates.reset(this.nowMs);
  }

  /** Ends a call without a word: its caller is gone. */
  drop(call: Call): void {
    this.sender.drop(call);
    this.#open.delete(call.id);
    call.cancel();
    this.#lookIfEmpty();
  }

  dropAll(): void {
    for (const call of this.#open.values()) this.drop(call);
  }

  /** No new calls: those that there are end, then `onEmpty`. */
  refuseNew(): void {
    this.#isClosing = true;
    this.endWhenEmpty();
  }

  /** New calls are served as before, until there is none: then `onEmpty`. */
  endWhenEmpty(): void {
    this.#endsWhenEmpty = true;
    this.#lookIfEmpty();
  }

  /** What has taken too long. @throws {ConnectionError} where the peer takes nothing of an answer */
  look(nowMs: number): void {
    this.nowMs = nowMs;
    const { requestTimeoutMs, stallTimeoutMs } = this.#options.bounds;
    for (const stream of this.sender.blocked)
      if (nowMs - stream.blockedMs > stallTimeoutMs)
        throw new ConnectionError(ERROR.enhanceYourCalm, 'Answers are not taken', 'stalled');
    for (const call of this.#open.values()) {
      // What was refused may still wait for its peer to take the answer.
      if (call.isOver) continue;
      if (call.isReceiving && nowMs - call.openedMs > requestTimeoutMs) {
        this.#options.onRefused('slow_request');
        call.refuse(REFUSED.slow);
      } else if (call.deadlineMs !== undefined && nowMs > call.deadlineMs) call.refuse(REFUSED.late);
    }
  }

  head(call: Call, frame: Buffer): void {
    this.#options.writer.prepared(frame, call.id);
  }

  message(call: Call, message: Uint8Array): void {
    try {
      this.sender.message(call, message, this.nowMs);
    } catch (error) {
      this.#options.onError(error);
    }
    this.#options.onWritten();
  }

  bytes(call: Call, bytes: Buffer): void {
    try {
      this.sender.data(call, bytes, this.nowMs);
    } catch (error) {
      this.#options.onError(error);
    }
    this.#options.onWritten();
  }

  end(call: Call, last: Buffer): void {
    if (last === OK_TRAILERS) this.rates.answered(call.counted);
    if (last === REFUSED.tooLarge) this.#options.onRefused('message_bytes');
    if (last === REFUSED.buffered) this.#options.onRefused('buffered_bytes');
    if (last === REFUSED.bufferedTotal) this.#options.onRefused('buffered_total');
    if (this.sender.end(call, last)) this.#over(call);
    else call.close();
    this.#options.onWritten();
  }

  hold(bytes: number): Buffer | undefined {
    this.#heldBytes += bytes;
    const { bounds, held } = this.#options;
    if (!held.take(bytes, this.#heldBytes)) return REFUSED.bufferedTotal;
    return this.#heldBytes <= bounds.maxBufferedBytes ? undefined : REFUSED.buffered;
  }

  #refuse(call: Call, bound: CallBound): void {
    this.#options.onRefused(bound);
    call.refuse(REFUSED.headers);
    this.rates.reset(this.nowMs);
  }

  #endRequest(call: Call): void {
    if (!call.isOver && !call.endOfRequest()) this.reset(call, ERROR.protocol);
  }

  /** An answer that had to wait for the peer is sent to its end. */
  #sent(id: number): void {
    const call = this.#open.get(id);
    if (call !== undefined) this.#over(call);
  }

  #over(call: Call): void {
    call.close();
    this.#open.delete(call.id);
    if (call.isReceiving) {
      // Answered before its request was over: the rest of that is not wanted (RFC 9113 §8.1).
      this.numbers.ignore(call.id);
      this.#options.writer.reset(call.id, ERROR.none);
    }
    this.#lookIfEmpty();
  }

  #lookIfEmpty(): void {
    if (this.isDone) this.#options.onEmpty();
  }
}
