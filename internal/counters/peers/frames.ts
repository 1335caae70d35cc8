// What workers say to each other, in frames: a uint32 length of what follows, then that. Numbers are little-endian.
//
//   ask     kind 1 take | 2 give back, uint32 id, float64 monotonic ms of the machine, float64 wall ms, uint16 takes, then each:
//           uint8 length and ASCII of the key, the same of the namespace, float64 cost, uint8 algorithm, float64 requests,
//           then float64 window ms and burst (GCRA), window ms (sliding and fixed windows), or uint8 length and ASCII of
//           the calendar's name
//   answer  uint32 id, uint16 states or `FAILED`, then each: uint8 isWithin, float64 remaining, float64 wait ms
//
// Both ends are of one program, started by one main process: there are no versions.

/** Of a frame, without its length: 256 takes of the longest words fit. */
export const MAX_FRAME_BYTES = 64 * 1024;
export const LENGTH_BYTES = 4;

export const TAKE = 1;
export const GIVE_BACK = 2;

export const GCRA = 1;
export const SLIDING = 2;
export const FIXED = 3;
export const CALENDAR = 4;

/** Instead of a number of states: the owner could not answer. */
export const FAILED = 0xffff;
export const STATE_BYTES = 17;
export const ANSWER_HEAD_BYTES = 6;

/** The other end said what no worker says: the connection is of no use any more. */
export class NonsenseError extends Error {}

/** Cuts a stream of bytes into frames. */
export class FrameSplitter {
  readonly #each: (bytes: Buffer, from: number, to: number) => void;
  /** Begin of a frame whose end has not come. */
  #begun: Buffer | undefined;

  /** @param each told of every frame, without its length; the bytes are its own only until it returns */
  constructor(each: (bytes: Buffer, from: number, to: number) => void) {
    this.#each = each;
  }

  /** @throws {NonsenseError} for a frame that no worker would send */
  push(chunk: Buffer): void {
    const bytes = this.#begun === undefined ? chunk : Buffer.concat([this.#begun, chunk]);
    this.#begun = undefined;
    let at = 0;
    while (bytes.length - at >= LENGTH_BYTES) {
      const length = bytes.readUInt32LE(at);
      if (length > MAX_FRAME_BYTES) throw new NonsenseError(`a frame of ${length} bytes, at most ${MAX_FRAME_BYTES}`);
      const from = at + LENGTH_BYTES;
      if (bytes.length - from < length) break;
      this.#each(bytes, from, from + length);
      at = from + length;
    }
    if (at < bytes.length) this.#begun = bytes.subarray(at);
  }
}
