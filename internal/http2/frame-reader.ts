import { ERROR, FRAME_HEAD_BYTES, MAX_FRAME_BYTES } from './codes.ts';
import { ConnectionError } from './connection-error.ts';

/** Takes frames, one after the other. The payload is `bytes` from `start` to `end`, and stays as it is. */
export interface FrameSink {
  frame(type: number, flags: number, stream: number, bytes: Buffer, start: number, end: number): void;
}

/**
 * Finds frames in what a socket gives, in pieces of any size. A frame that lies in one piece is not copied; of one that
 * does not, as much is held as the frame is long, however slowly it comes.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  /** A frame that has begun: room for its head, or for all of it once its head is there. */
  #partial: Buffer | undefined = undefined;
  #filled = 0;
  #count = 0;
  #isStopped = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** Whether the rest of a frame is still to come. */
  get isInFrame(): boolean {
    return this.#filled > 0;
  }

  /** Frames that were whole. */
  get count(): number {
    return this.#count;
  }

  /** Finds no more frames, also not in what it is reading. */
  stop(): void {
    this.#isStopped = true;
    this.#partial = undefined;
    this.#filled = 0;
  }

  /** @throws {ConnectionError} FRAME_SIZE_ERROR for one that is larger than it may be, before there is memory for it */
  read(chunk: Buffer): void {
    if (this.#isStopped) return;
    let at = this.#filled === 0 ? 0 : this.#complete(chunk);
    while (!this.#isStopped && chunk.length - at >= FRAME_HEAD_BYTES) {
      const end = at + FRAME_HEAD_BYTES + lengthAt(chunk, at);
      if (end > chunk.length) break;
      this.#emit(chunk, at, end);
      at = end;
    }
    if (!this.#isStopped && at < chunk.length) this.#begin(chunk, at);
  }

  #begin(chunk: Buffer, at: number): void {
    const left = chunk.length - at;
    const room = left < FRAME_HEAD_BYTES ? FRAME_HEAD_BYTES : FRAME_HEAD_BYTES + lengthAt(chunk, at);
    this.#partial = Buffer.allocUnsafe(room);
    this.#filled = chunk.copy(this.#partial, 0, at);
  }

  /** @returns where the next frame begins */
  #complete(chunk: Buffer): number {
    let at = this.#fill(chunk, 0);
    if (this.#filled < FRAME_HEAD_BYTES || this.#partial === undefined) return at;
    const whole = FRAME_HEAD_BYTES + lengthAt(this.#partial, 0);
    if (this.#partial.length < whole) {
      const grown = Buffer.allocUnsafe(whole);
      this.#partial.copy(grown);
      this.#partial = grown;
      at = this.#fill(chunk, at);
    }
    if (this.#filled < whole) return at;
    const frame = this.#partial;
    this.#partial = undefined;
    this.#filled = 0;
    this.#emit(frame, 0, whole);
    return at;
  }

  #fill(chunk: Buffer, at: number): number {
    if (this.#partial === undefined) return at;
    const copied = chunk.copy(this.#partial, this.#filled, at);
    this.#filled += copied;
    return at + copied;
  }

  #emit(bytes: Buffer, at: number, end: number): void {
    const stream =
      (((bytes[at + 5] ?? 0) & 0x7f) << 24) |
      ((bytes[at + 6] ?? 0) << 16) |
      ((bytes[at + 7] ?? 0) << 8) |
      (bytes[at + 8] ?? 0);
    this.#count += 1;
    this.#sink.frame(bytes[at + 3] ?? 0, bytes[at + 4] ?? 0, stream, bytes, at + FRAME_HEAD_BYTES, end);
  }
}

function lengthAt(bytes: Buffer, at: number): number {
  const length = ((bytes[at] ?? 0) << 16) | ((bytes[at + 1] ?? 0) << 8) | (bytes[at + 2] ?? 0);
  if (length > MAX_FRAME_BYTES) throw new ConnectionError(ERROR.frameSize, `A frame has ${length} bytes`);
  return length;
}

export function uint32At(bytes: Buffer, at: number): number {
  return (
    (((bytes[at] ?? 0) << 24) | ((bytes[at + 1] ?? 0) << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0
  );
}
