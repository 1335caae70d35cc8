import { FLAG, FRAME, FRAME_HEAD_BYTES } from './codes.ts';
import type { WriteBuffers } from './write-buffers.ts';

/** The writing side of a socket. */
export interface WriteTarget {
  write(bytes: Buffer): boolean;
  /** Bytes that it has been given and that are not written yet. */
  readonly writableLength: number;
}

/** Gathers frames and hands them to the socket in one piece. */
export class FrameWriter {
  readonly #target: WriteTarget;
  readonly #buffers: WriteBuffers;
  #bytes: Buffer | undefined = undefined;
  #at = 0;

  constructor(target: WriteTarget, buffers: WriteBuffers) {
    this.#target = target;
    this.#buffers = buffers;
  }

  /** Bytes that the peer has not taken. */
  get unsentBytes(): number {
    return this.#at + this.#target.writableLength;
  }

  /** A frame that is made already, save its stream; its payload is shorter than the largest frame. */
  prepared(frame: Buffer, stream: number): void {
    const bytes = this.#room(frame.length);
    const at = this.#at;
    bytes.set(frame, at);
    putUint32(bytes, at + 5, stream);
    this.#at = at + frame.length;
  }

  /** The head of a frame; its payload follows, and there is room for it. */
  head(type: number, flags: number, stream: number, length: number): void {
    const bytes = this.#room(FRAME_HEAD_BYTES + length);
    const at = this.#at;
    bytes[at] = length >>> 16;
    bytes[at + 1] = length >>> 8;
    bytes[at + 2] = length;
    bytes[at + 3] = type;
    bytes[at + 4] = flags;
    putUint32(bytes, at + 5, stream);
    this.#at = at + FRAME_HEAD_BYTES;
  }

  uint32(value: number): void {
    putUint32(this.#room(4), this.#at, value);
    this.#at += 4;
  }

  bytes(payload: Uint8Array): void {
    this.#room(payload.length).set(payload, this.#at);
    this.#at += payload.length;
  }

  /** What comes before each message in gRPC: whether it is compressed, and its length. */
  messagePrefix(length: number): void {
    const bytes = this.#room(5);
    bytes[this.#at] = 0;
    putUint32(bytes, this.#at + 1, length);
    this.#at += 5;
  }

  reset(stream: number, code: number): void {
    this.head(FRAME.rstStream, 0, stream, 4);
    this.uint32(code);
  }

  windowUpdate(stream: number, by: number): void {
    this.head(FRAME.windowUpdate, 0, stream, 4);
    this.uint32(by);
  }

  ping(flags: number, payload: Uint8Array): void {
    this.head(FRAME.ping, flags, 0, payload.length);
    this.bytes(payload);
  }

  goaway(lastStream: number, code: number, debug: string): void {
    const text = Buffer.from(debug.slice(0, 200), 'latin1');
    this.head(FRAME.goaway, 0, 0, 8 + text.length);
    this.uint32(lastStream);
    this.uint32(code);
    this.bytes(text);
  }

  settingsAck(): void {
    this.head(FRAME.settings, FLAG.ack, 0, 0);
  }

  /** Everything so far, in one write. */
  flush(): void {
    const bytes = this.#bytes;
    if (bytes === undefined || this.#at === 0) return;
    const length = this.#at;
    this.#bytes = undefined;
    this.#at = 0;
    this.#target.write(bytes.subarray(0, length));
    // The system has copied it: nobody reads it any more. Otherwise it is the socket's, until that is done with it.
    if (this.#target.writableLength === 0) this.#buffers.give(bytes);
  }

  #room(length: number): Buffer {
    if (this.#bytes !== undefined && this.#at + length > this.#bytes.length) this.flush();
    this.#bytes ??= this.#buffers.take();
    return this.#bytes;
  }
}

function putUint32(bytes: Buffer, at: number, value: number): void {
  bytes[at] = value >>> 24;
  bytes[at + 1] = value >>> 16;
  bytes[at + 2] = value >>> 8;
  bytes[at + 3] = value;
}
