/** Bytes before a message: whether it is compressed, and its length (gRPC over HTTP/2, Length-Prefixed-Message). */
export const PREFIX_BYTES = 5;
const FIRST_BYTES = 4096;

/** A message that comes in pieces: it takes memory as it comes, whatever length it announces. */
export class MessageBuffer {
  #bytes: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #filled = 0;

  /** Bytes so far, the prefix among them. */
  get length(): number {
    return this.#filled;
  }

  /** Bytes of memory. */
  get capacity(): number {
    return this.#bytes.length;
  }

  /** The prefix, once it is there. */
  get prefix(): Buffer | undefined {
    return this.#filled < PREFIX_BYTES ? undefined : this.#bytes.subarray(0, PREFIX_BYTES);
  }

  add(bytes: Buffer, start: number, end: number): void {
    const needed = this.#filled + end - start;
    if (needed > this.#bytes.length) {
      const grown = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#bytes.length));
      this.#bytes.copy(grown, 0, 0, this.#filled);
      this.#bytes = grown;
    }
    this.#filled += bytes.copy(this.#bytes, this.#filled, start, end);
  }

  /** The message without its prefix. */
  message(): Buffer {
    return this.#bytes.subarray(PREFIX_BYTES, this.#filled);
  }
}
