/** Larger than the largest frame that is written, and as much as one write to a socket should be. */
export const WRITE_BYTES = 64 * 1024;
const MAX_KEPT = 16;

/**
 * Buffers that connections fill and sockets empty, shared by all connections: one is only held between the first answer
 * of a turn and the end of its write.
 */
export class WriteBuffers {
  readonly #free: Buffer[] = [];

  take(): Buffer {
    return this.#free.pop() ?? Buffer.allocUnsafeSlow(WRITE_BYTES);
  }

  give(buffer: Buffer): void {
    if (this.#free.length < MAX_KEPT) this.#free.push(buffer);
  }
}
