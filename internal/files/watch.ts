import { type FSWatcher, watch } from 'node:fs';
import type { Clock } from '../core/clock.ts';
import type { PolicyDirectory } from './directory.ts';
import type { DirectoryContent } from './directory-content.ts';

export interface WatchOptions {
  readonly root: string;
  readonly directory: PolicyDirectory;
  readonly clock: Clock;
  /** Longest between two looks. */
  readonly pollMs?: number;
  readonly onChange: (content: DirectoryContent) => void;
  /** Nothing could be read: what was read before stays. Each new trouble is told once. */
  readonly onError: (error: unknown) => void;
}

/** Between two looks, of which the second must find what the first did: so long a writer may pause. */
export const SETTLE_MS = 100;
/** Watching misses changes on some file systems: a look now and then makes up for it. */
const POLL_MS = 2000;
/** Looks take this part of the time at most, however much there is to look at and however often it changes. */
const LOOK_SHARE = 0.1;

/** Reads a directory again whenever something in it changes; it may go away and come back. */
export function watchDirectory({ root, directory, clock, pollMs = POLL_MS, onChange, onError }: WatchOptions): {
  stop(): void;
} {
  let watcher: FSWatcher | undefined;
  let settling: NodeJS.Timeout | undefined;
  let isLooking = false;
  let isStopped = false;
  let pauseMs = SETTLE_MS;
  let lastWhy = '';
  const soon = (): void => {
    if (isStopped) return;
    settling ??= setTimeout(look, pauseMs);
  };
  const look = async (): Promise<void> => {
    clearTimeout(settling);
    settling = undefined;
    if (isLooking) return soon();
    isLooking = true;
    const startMs = clock.monotonicMs();
    try {
      const content = await directory.read();
      lastWhy = '';
      if (content !== undefined && !isStopped) onChange(content);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (why !== lastWhy) onError(error);
      lastWhy = why;
    }
    isLooking = false;
    pauseMs = Math.min(pollMs, Math.max(SETTLE_MS, (clock.monotonicMs() - startMs) / LOOK_SHARE));
    if (directory.isUnsettled) soon();
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
    if (settling === undefined) void look();
  }, pollMs);
  poll.unref();
  return {
    stop() {
      isStopped = true;
      clearInterval(poll);
      clearTimeout(settling);
      watcher?.close();
    },
  };
}
