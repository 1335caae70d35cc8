import { pino } from 'pino';
import { oneLine } from './one-line.ts';

/** Where lines go. Never blocks a check, never throws: what the other side does not take in time is dropped and counted. */
export interface Output {
  /** @param line JSON with its final line feed */
  write(line: string): void;
  /** Lines given up so far. */
  readonly dropped: number;
  /** Writes what is left, for at most this long; later lines are dropped. */
  close(timeoutMs: number): Promise<void>;
}

/** Bytes held for a reader that does not keep up. */
const MAX_BUFFERED_BYTES = 4 * 1024 * 1024;

/**
 * Lines to a file descriptor, written aside from the event loop.
 *
 * @param fd 1 is the standard output; other descriptors are closed with it
 */
export function openOutput(fd: number, maxBufferedBytes = MAX_BUFFERED_BYTES): Output {
  const stream = pino.destination({ dest: fd, sync: false, maxLength: maxBufferedBytes });
  let dropped = 0;
  let isClosed = false;
  const drop = (): void => {
    dropped += 1;
  };
  stream.on('drop', drop);
  stream.on('error', drop);
  return {
    get dropped() {
      return dropped;
    },
    write: (line) => {
      if (isClosed) drop();
      else stream.write(oneLine(line));
    },
    close: (timeoutMs) => {
      if (isClosed) return Promise.resolve();
      isClosed = true;
      const { promise, resolve } = Promise.withResolvers<void>();
      const timer = setTimeout(resolve, timeoutMs);
      stream.once('close', resolve);
      stream.end();
      return promise.finally(() => clearTimeout(timer));
    },
  };
}
