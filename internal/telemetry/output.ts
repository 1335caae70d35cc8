import { write } from 'node:fs';
import { oneLine } from './one-line.ts';

/** Where lines go. Never blocks a check, never throws: what the other side does not take in time is dropped and counted. */
export interface Output {
  /** @param line JSON with its final line feed */
  write(line: string): void;
  /** Takes lines of another process, which are as they should be. */
  forward(lines: string): void;
  /** Lines given up so far. */
  readonly dropped: number;
  /** Waits until what is held has been written, for at most this long; later lines are dropped. */
  close(timeoutMs: number): Promise<void>;
}

/** Bytes held for a reader that does not keep up. */
const MAX_HELD_BYTES = 4 * 1024 * 1024;
/** Until a full pipe is tried again. */
const RETRY_MS = 20;

/**
 * Lines to a file descriptor, one write at a time, beside the event loop. Written here because the sinks that loggers
 * bring try a failing descriptor for ever when the process ends, so that a full disk would keep a dead agent from
 * exiting. A process that ends without `close` loses what is held.
 *
 * @param fd stays open; 1 is the standard output
 */
export function openOutput(fd: number, maxHeldBytes = MAX_HELD_BYTES): Output {
  return new DescriptorOutput(fd, maxHeldBytes);
}

class DescriptorOutput implements Output {
  readonly #fd: number;
  readonly #maxHeldBytes: number;
  /** Lines that no write has begun with. */
  #lines: string[] = [];
  #lineCount = 0;
  /** Bytes of `#lines` and of the write in flight; never above `#maxHeldBytes`. */
  #heldBytes = 0;
  #isWriting = false;
  #isClosed = false;
  /** After `close` has waited long enough: a full pipe is not tried again, so that the process can end. */
  #isGivenUp = false;
  #onIdle: (() => void) | undefined = undefined;
  dropped = 0;

  constructor(fd: number, maxHeldBytes: number) {
    this.#fd = fd;
    this.#maxHeldBytes = maxHeldBytes;
  }

  write(line: string): void {
    this.#hold(oneLine(line), 1);
  }

  forward(lines: string): void {
    this.#hold(lines, lines.split('\n').length - 1);
  }

  #hold(text: string, lines: number): void {
    const bytes = Buffer.byteLength(text);
    if (this.#isClosed || this.#heldBytes + bytes > this.#maxHeldBytes) {
      this.dropped += lines;
      return;
    }
    this.#lines.push(text);
    this.#lineCount += lines;
    this.#heldBytes += bytes;
    if (!this.#isWriting) this.#writeHeld();
  }

  async close(timeoutMs: number): Promise<void> {
    this.#isClosed = true;
    if (!this.#isWriting) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#onIdle = resolve;
    const timer = setTimeout(resolve, timeoutMs);
    await promise;
    clearTimeout(timer);
    this.#isGivenUp = true;
  }

  #writeHeld(): void {
    const lines = this.#lineCount;
    const bytes = Buffer.from(this.#lines.join(''));
    this.#lines = [];
    this.#lineCount = 0;
    this.#isWriting = true;
    this.#writeFrom(bytes, 0, lines);
  }

  #writeFrom(bytes: Buffer, offset: number, lines: number): void {
    write(this.#fd, bytes, offset, bytes.length - offset, null, (error, written) => {
      if (error?.code === 'EAGAIN' && !this.#isGivenUp) {
        setTimeout(() => this.#writeFrom(bytes, offset, lines), RETRY_MS);
        return;
      }
      if (error === null && offset + written < bytes.length) {
        this.#writeFrom(bytes, offset + written, lines);
        return;
      }
      if (error !== null) this.dropped += lines;
      this.#heldBytes -= bytes.length;
      this.#next();
    });
  }

  #next(): void {
    if (this.#lines.length > 0) {
      this.#writeHeld();
      return;
    }
    this.#isWriting = false;
    this.#onIdle?.();
  }
}
