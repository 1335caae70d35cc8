import { type FSWatcher, watch } from 'node:fs';
import type { DirectoryContent, PolicyDirectory } from './directory.ts';

export interface WatchOptions {
  readonly root: string;
  readonly directory: PolicyDirectory;
  readonly onChange: (content: DirectoryContent) => void;
  /** The directory cannot be read: what was read before stays. */
  readonly onError: (error: unknown) => void;
}

/** Editors write in several steps; what comes together is read together. */
const SETTLE_MS = 50;
/** Watching misses changes on some file systems: a look now and then makes up for it. */
const POLL_MS = 2000;

/** Reads a directory again whenever something in it changes; it may go away and come back. */
export function watchDirectory({ root, directory, onChange, onError }: WatchOptions): { stop(): void } {
  let watcher: FSWatcher | undefined;
  let settling: NodeJS.Timeout | undefined;
  let lastWhy = '';
  const read = (): void => {
    settling = undefined;
    try {
      const content = directory.read();
      lastWhy = '';
      if (content !== undefined) onChange(content);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== lastWhy) onError(error);
      lastWhy = why;
    }
  };
  const soon = (): void => {
    settling ??= setTimeout(read, SETTLE_MS);
  };
  const follow = (): void => {
    if (watcher !== undefined) return;
    try {
      watcher = watch(root, { recursive: true }, soon);
      watcher.on('error', () => {
        watcher?.close();
        watcher = undefined;
      });
    } catch {
      // Not there now: the poll tries again.
    }
  };
  follow();
  const poll = setInterval(() => {
    follow();
    read();
  }, POLL_MS);
  poll.unref();
  return {
    stop() {
      clearInterval(poll);
      clearTimeout(settling);
      watcher?.close();
    },
  };
}
