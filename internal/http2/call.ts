import { uint32At } from './frame-reader.ts';
import type { GrpcMethod, GrpcStream, UnaryResult } from './grpc-method.ts';
import { ANSWER_HEAD, type GrpcStatus, OK_TRAILERS, refusalFrame, trailersFrame } from './grpc-status.ts';
import { MessageBuffer, PREFIX_BYTES } from './message-buffer.ts';
import { ABORTED, PLAIN, type PlainAnswer, REFUSED } from './refusals.ts';
import type { RequestHead } from './request-head.ts';
import { END_OF_DATA, Outgoing } from './sender.ts';

/** The connection of a call, as the call needs it. None of it throws: what goes wrong ends the connection. */
export interface CallHost {
  readonly nowMs: number;
  readonly maxMessageBytes: number;
  head(call: Call, frame: Buffer): void;
  message(call: Call, message: Uint8Array): void;
  bytes(call: Call, bytes: Buffer): void;
  /** The frame that ends the answer; behind it the call is over. */
  end(call: Call, last: Buffer): void;
  /** Memory that messages take more, or give back. @returns what a call is refused with that may not have as much */
  hold(bytes: number): Buffer | undefined;
}

/** Whoever does not speak gRPC and sends more than this is not listened to any longer. */
const MAX_IGNORED_BYTES = 32 * 1024;

/** One call of gRPC: a stream of HTTP/2, from its head to the end of its answer. */
export class Call extends Outgoing implements GrpcStream {
  readonly openedMs: number;
  readonly deadlineMs: number | undefined;
  /** The peer may still send. */
  isReceiving = true;
  /** Bytes of DATA that the peer may still send. */
  receiveWindow: number;
  /** What its head counted for among the frames that carry no call. */
  counted = 0;
  /** Answered, reset or gone. */
  isOver = false;
  readonly #host: CallHost;
  readonly #head: RequestHead;
  #method: GrpcMethod | undefined = undefined;
  /** For who does not speak gRPC: sent when the request is over. */
  #plain: PlainAnswer | undefined = undefined;
  #received = 0;
  #message: Buffer | undefined = undefined;
  #pieces: MessageBuffer | undefined = undefined;
  /** Bytes of memory that its message counts for. */
  #held = 0;
  /** Its method still works on the message, whether or not anybody waits for the answer. */
  #isPending = false;
  #isCancelled = false;
  #isHeadSent = false;
  #listeners: (() => void)[] | undefined = undefined;

  constructor(id: number, head: RequestHead, host: CallHost, sendWindow: number, receiveWindow: number) {
    super(id, sendWindow);
    this.#head = head;
    this.#host = host;
    this.openedMs = host.nowMs;
    this.receiveWindow = receiveWindow;
    this.deadlineMs = head.timeoutMs === undefined ? undefined : host.nowMs + head.timeoutMs;
  }

  isCancelled(): boolean {
    return this.#isCancelled;
  }

  get metadata(): { get(name: string): readonly string[] } {
    return this;
  }

  /** Of metadata, only what tells of a trace is kept. */
  get(name: string): readonly string[] {
    if (name === 'traceparent') return this.#head.traceparent;
    return name === 'tracestate' ? this.#head.tracestate : [];
  }

  onCancel(listener: () => void): void {
    if (this.#isCancelled) listener();
    else if (this.#listeners === undefined) this.#listeners = [listener];
    else this.#listeners.push(listener);
  }

  /** Looks at the head: what is wrong with it is answered now, or to who does not speak gRPC at the end. */
  begin(methods: ReadonlyMap<string, GrpcMethod>): void {
    const { contentType, method, path, timeoutMs } = this.#head;
    if (!isGrpc(contentType)) this.#plain = PLAIN.contentType;
    else if (method !== 'POST') this.#plain = PLAIN.method;
    if (this.#plain !== undefined) return;
    this.#method = methods.get(path);
    if (this.#method === undefined) this.#refuse(REFUSED.unknownMethod);
    else if (Number.isNaN(timeoutMs)) this.#refuse(REFUSED.wrongTimeout);
  }

  /** Bytes of the request; `isLast` where nothing follows. */
  data(bytes: Buffer, start: number, end: number, isLast: boolean): void {
    if (this.isOver) return;
    this.#received += end - start;
    if (this.#plain !== undefined) {
      if (this.#received > MAX_IGNORED_BYTES) this.#answerPlain(this.#plain);
      return;
    }
    if (start === end) return;
    if (this.#message !== undefined) this.#refuse(REFUSED.secondMessage);
    else if (isLast && this.#pieces === undefined && end - start >= PREFIX_BYTES) {
      if (this.#isWhole(bytes, start, end - start)) this.#message = bytes.subarray(start + PREFIX_BYTES, end);
    } else this.#collect(bytes, start, end);
  }

  /** The request is over. @returns false where it has not as many bytes as it says: then it is none */
  endOfRequest(): boolean {
    const { contentLength } = this.#head;
    if (contentLength !== undefined && contentLength !== this.#received) return false;
    if (this.#plain !== undefined) this.#answerPlain(this.#plain);
    else if (!this.isOver) this.#invoke();
    return true;
  }

  /** Fields behind the request, which no request of gRPC has. */
  trailers(): void {
    if (this.#plain === undefined) this.#refuse(REFUSED.trailers);
  }

  /** Ends it with an answer of the door. */
  refuse(frame: Buffer): void {
    if (this.isOver) return;
    this.#refuse(frame);
    this.#gone();
  }

  /** Ends it without an answer: its caller has gone away, or has broken the rules. */
  cancel(): void {
    if (this.isOver) return;
    this.close();
    this.#gone();
  }

  /** Nothing more is sent or kept. */
  close(): void {
    this.isOver = true;
    this.#release();
    this.#message = undefined;
    this.#pieces = undefined;
  }

  send(message: Uint8Array): void {
    if (this.isOver) return;
    this.#sendHead();
    this.#host.message(this, message);
  }

  finish(status: GrpcStatus): void {
    if (this.isOver) return;
    if (this.#isHeadSent || status.code === 0) {
      this.#sendHead();
      this.#host.end(this, status.code === 0 ? OK_TRAILERS : trailersFrame(status));
    } else this.#host.end(this, refusalFrame(status));
  }

  #sendHead(): void {
    if (this.#isHeadSent) return;
    this.#isHeadSent = true;
    this.#host.head(this, ANSWER_HEAD);
  }

  #collect(bytes: Buffer, start: number, end: number): void {
    this.#pieces ??= new MessageBuffer();
    const pieces = this.#pieces;
    pieces.add(bytes, start, end);
    const refusal = this.#hold(pieces.capacity);
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    const { prefix } = pieces;
    if (prefix === undefined || !this.#isWhole(prefix, 0, pieces.length)) return;
    this.#message = pieces.message();
  }

  /** Whether a message that begins here is whole; one that can never be one is refused. */
  #isWhole(bytes: Buffer, start: number, length: number): boolean {
    const compressed = bytes[start] ?? 0;
    const whole = PREFIX_BYTES + uint32At(bytes, start + 1);
    if (whole - PREFIX_BYTES > this.#host.maxMessageBytes) this.#refuse(REFUSED.tooLarge);
    else if (compressed === 1) this.#refuse(REFUSED.compressed);
    else if (compressed !== 0) this.#refuse(REFUSED.wrongPrefix);
    else if (length > whole) this.#refuse(REFUSED.secondMessage);
    return !this.isOver && length === whole;
  }

  #invoke(): void {
    const message = this.#message;
    const method = this.#method;
    if (message === undefined || method === undefined) {
      this.#refuse(this.#received === 0 ? REFUSED.noMessage : REFUSED.cutOff);
      return;
    }
    // What came in one piece is memory too, while a method waits for something.
    const refusal = this.#pieces === undefined ? this.#hold(message.length) : undefined;
    if (refusal !== undefined) {
      this.#refuse(refusal);
      return;
    }
    this.#message = undefined;
    this.#pieces = undefined;
    try {
      const result = method.kind === 'unary' ? method.call(message, this) : this.#stream(message, method.call);
      if (result instanceof Promise) this.#later(result);
      else if (result !== undefined) this.#answer(result);
      else if (method.kind === 'unary') this.#refuse(REFUSED.internal);
    } catch {
      this.#refuse(REFUSED.internal);
    }
  }

  #stream(message: Uint8Array, call: (message: Uint8Array, call: GrpcStream) => void): undefined {
    call(message, this);
  }

  #later(pending: Promise<UnaryResult>): void {
    this.#isPending = true;
    pending.then(
      (result) => {
        this.#settled();
        this.#answer(result);
      },
      () => {
        this.#settled();
        this.#refuse(REFUSED.internal);
      },
    );
  }

  #settled(): void {
    this.#isPending = false;
    if (this.isOver) this.#release();
  }

  /** Its result is what others made: whatever is no message and no refusal is a fault. */
  #answer(result: UnaryResult): void {
    if (this.isOver) return;
    if (!(result instanceof Uint8Array)) {
      this.#refuse(typeof result?.code === 'number' && result.code > 0 ? refusalFrame(result) : REFUSED.internal);
      return;
    }
    this.#sendHead();
    this.#host.message(this, result);
    this.#host.end(this, OK_TRAILERS);
  }

  #answerPlain({ head, body }: PlainAnswer): void {
    if (this.isOver) return;
    this.#host.head(this, head);
    this.#host.bytes(this, body);
    this.#host.end(this, END_OF_DATA);
  }

  #refuse(frame: Buffer): void {
    if (this.isOver) return;
    this.#host.end(this, this.#isHeadSent ? ABORTED : frame);
  }

  /** @param bytes all that it takes from now on */
  #hold(bytes: number): Buffer | undefined {
    const more = bytes - this.#held;
    this.#held = bytes;
    return this.#host.hold(more);
  }

  /** A caller that goes away frees nothing that its method still has. */
  #release(): void {
    if (this.#isPending || this.#held === 0) return;
    this.#host.hold(-this.#held);
    this.#held = 0;
  }

  #gone(): void {
    this.#isCancelled = true;
    const listeners = this.#listeners;
    this.#listeners = undefined;
    for (const listener of listeners ?? []) listener();
  }
}

/** `application/grpc`, with whatever coding of messages, which is the method's; not gRPC-Web. */
const isGrpc = (contentType: string): boolean =>
  contentType === 'application/grpc' || /^application\/grpc[+;]/i.test(contentType);
