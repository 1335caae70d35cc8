import { DEFAULT_WINDOW, ERROR, FLAG, FRAME, MAX_FRAME_BYTES, MAX_WINDOW } from './codes.ts';
import { ConnectionError, tooMuch } from './connection-error.ts';
import type { FrameWriter } from './frame-writer.ts';
import { PREFIX_BYTES } from './message-buffer.ts';
import { PeerSettings } from './settings.ts';

/** What is to be sent on one stream. */
export class Outgoing {
  readonly id: number;
  /** Bytes of DATA that the peer takes; less than none where it took some back. */
  sendWindow: number;
  /** What waits for the peer to take more; undefined where nothing does. */
  queue: Buffer | undefined = undefined;
  queueAt = 0;
  /** The frame that ends the stream, where it has to wait for the queue. */
  last: Buffer | undefined = undefined;
  /** When something of it was sent last, while something waits. */
  blockedMs = 0;

  constructor(id: number, sendWindow: number) {
    this.id = id;
    this.sendWindow = sendWindow;
  }
}

/** Ends a stream whose answer has no trailers. */
export const END_OF_DATA: Buffer = Buffer.of(0, 0, 0, FRAME.data, FLAG.endStream, 0, 0, 0, 0);

/** Sends answers as far as the peer's windows let it, and the rest when they open (RFC 9113 §5.2). */
export class Sender {
  readonly settings = new PeerSettings();
  readonly #writer: FrameWriter;
  readonly #maxUnsentBytes: number;
  readonly #onSent: (stream: Outgoing) => void;
  readonly #blocked = new Set<Outgoing>();
  #window = DEFAULT_WINDOW;
  #queuedBytes = 0;

  /** @param onSent told of a stream whose end was sent later than it was asked for */
  constructor(writer: FrameWriter, maxUnsentBytes: number, onSent: (stream: Outgoing) => void) {
    this.#writer = writer;
    this.#maxUnsentBytes = maxUnsentBytes;
    this.#onSent = onSent;
  }

  get blocked(): ReadonlySet<Outgoing> {
    return this.#blocked;
  }

  /** A message of gRPC. @throws {ConnectionError} ENHANCE_YOUR_CALM where the peer leaves too much unread */
  message(stream: Outgoing, message: Uint8Array, nowMs: number): void {
    const length = PREFIX_BYTES + message.length;
    if (stream.queue === undefined && this.#takes(stream, length)) {
      this.#writer.head(FRAME.data, 0, stream.id, length);
      this.#writer.messagePrefix(message.length);
      this.#writer.bytes(message);
      this.#count(stream, length);
      return;
    }
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    this.data(stream, Buffer.concat([prefix, message]), nowMs);
  }

  /** Bytes as they are. @throws {ConnectionError} as `message` */
  data(stream: Outgoing, bytes: Buffer, nowMs: number): void {
    const left = stream.queue?.subarray(stream.queueAt);
    stream.queue = left === undefined ? bytes : Buffer.concat([left, bytes]);
    stream.queueAt = 0;
    if (left === undefined) stream.blockedMs = nowMs;
    this.#queuedBytes += bytes.length;
    this.#drain(stream, nowMs);
    if (this.#queuedBytes + this.#writer.unsentBytes > this.#maxUnsentBytes)
      throw tooMuch('unsent_bytes', `More than ${this.#maxUnsentBytes} bytes of answers are not taken`);
  }

  /** @returns whether the stream has ended now; else it ends behind what waits */
  end(stream: Outgoing, last: Buffer): boolean {
    if (stream.queue === undefined) {
      this.#writer.prepared(last, stream.id);
      return true;
    }
    stream.last = last;
    return false;
  }

  /** The peer takes more on all streams together. */
  openConnection(by: number, nowMs: number): void {
    this.#window += by;
    if (this.#window > MAX_WINDOW) throw new ConnectionError(ERROR.flowControl, 'A window is larger than any may be');
    for (const stream of this.#blocked) {
      if (this.#window <= 0) break;
      this.#drain(stream, nowMs);
    }
  }

  /** @returns whether the window is one */
  openStream(stream: Outgoing, by: number, nowMs: number): boolean {
    stream.sendWindow += by;
    if (stream.sendWindow > MAX_WINDOW) return false;
    if (stream.queue !== undefined) this.#drain(stream, nowMs);
    return true;
  }

  /** Nothing more is sent on a stream. */
  drop(stream: Outgoing): void {
    if (stream.queue === undefined) return;
    this.#queuedBytes -= stream.queue.length - stream.queueAt;
    stream.queue = undefined;
    stream.last = undefined;
    this.#blocked.delete(stream);
  }

  #takes(stream: Outgoing, length: number): boolean {
    return length <= MAX_FRAME_BYTES && length <= stream.sendWindow && length <= this.#window;
  }

  #drain(stream: Outgoing, nowMs: number): void {
    const { queue } = stream;
    if (queue === undefined) return;
    while (stream.queueAt < queue.length) {
      const length = Math.min(queue.length - stream.queueAt, MAX_FRAME_BYTES, stream.sendWindow, this.#window);
      if (length <= 0) {
        this.#blocked.add(stream);
        return;
      }
      this.#writer.head(FRAME.data, 0, stream.id, length);
      this.#writer.bytes(queue.subarray(stream.queueAt, stream.queueAt + length));
      stream.queueAt += length;
      stream.blockedMs = nowMs;
      this.#queuedBytes -= length;
      this.#count(stream, length);
    }
    stream.queue = undefined;
    this.#blocked.delete(stream);
    if (stream.last === undefined) return;
    this.#writer.prepared(stream.last, stream.id);
    stream.last = undefined;
    this.#onSent(stream);
  }

  #count(stream: Outgoing, length: number): void {
    stream.sendWindow -= length;
    this.#window -= length;
  }
}
