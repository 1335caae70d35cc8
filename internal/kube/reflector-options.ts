import type { Clock } from '../core/clock.ts';
import type { Scope } from './list-pages.ts';
import type { CopyHandler } from './object-copy.ts';
import type { Timers } from './timers.ts';

/** Told what a copy holds, one object at a time and a few milliseconds at a stretch; in between checks are answered. */
export interface ReflectorHandler extends CopyHandler {
  /** The first list is complete. */
  readonly onSynced?: () => void;
  /** The API server answers (again): a list is complete, or a watch is open. */
  readonly onContact?: () => void;
  /** What went wrong; it is tried again. `status` is the API server's, 0 without an answer. */
  readonly onError: (why: string, status: number) => void;
}

export interface ReflectorOptions extends Scope, ReflectorHandler {
  readonly kind: string;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly timers?: Timers;
  /** A watch that says nothing for so long is taken for dead; bookmarks come each minute. */
  readonly silenceMs?: number;
  /** After so long everything is listed anew: what a lost event left behind does not stay for ever. */
  readonly relistMs?: number;
}
