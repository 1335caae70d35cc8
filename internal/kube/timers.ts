/** Waiting as an argument: tests move a number instead of sleeping. */
export interface Timers {
  /** Runs `action` once after `ms`; the answer cancels it. */
  after(ms: number, action: () => void): () => void;
}

export const systemTimers: Timers = Object.freeze({
  after(ms: number, action: () => void): () => void {
    const timer = setTimeout(action, ms);
    return () => clearTimeout(timer);
  },
});

/** Waits, or ends early when the signal is aborted. */
export function pause(ms: number, timers: Timers, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      cancel();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const cancel = timers.after(ms, end);
    signal.addEventListener('abort', end);
  });
}

/** A signal that aborts with its parent, or by itself after `ms` unless the deadline is lifted. */
export function deadline(
  ms: number,
  timers: Timers,
  parent: AbortSignal | undefined,
): { readonly signal: AbortSignal; lift(): void } {
  const controller = new AbortController();
  const follow = (): void => controller.abort(parent?.reason);
  const cancel = timers.after(ms, () =>
    controller.abort(new Error(`there was no answer in ${Math.round(ms / 1000)} s`)),
  );
  if (parent?.aborted) follow();
  parent?.addEventListener('abort', follow);
  return {
    signal: controller.signal,
    lift() {
      cancel();
      parent?.removeEventListener('abort', follow);
    },
  };
}
