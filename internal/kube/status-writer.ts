import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { applyStatus, type DesiredStatus } from './apply-status.ts';
import { Retries } from './backoff.ts';
import { KubeError, reasonOf } from './kube-error.ts';
import { StatusQueue } from './status-queue.ts';
import { systemTimers, type Timers } from './timers.ts';
import { WriteRate } from './write-rate.ts';

export type { DesiredStatus } from './apply-status.ts';

/** What keeps statuses from being written, from when it begins until it ends. */
export interface WriteTroubles {
  /** @param isLasting no other try follows */
  begin(desired: DesiredStatus, error: unknown, isLasting: boolean): void;
  /** It is written, or needs not be any more. */
  end(desired: DesiredStatus): void;
  /** Somebody else writes from now on. */
  forget(): void;
}

export interface StatusWriterOptions {
  readonly config: KubeConfig;
  /** Who owns the fields; one for each instance class. */
  readonly fieldManager: string;
  readonly clock: Clock;
  /** From 0 to 1, for jitter. */
  readonly random: () => number;
  readonly timers?: Timers;
  /** Whether this process is the one that writes; asked right before each write. */
  readonly mayWrite?: () => boolean;
  readonly onWrite: (result: 'success' | 'failure', why?: string) => void;
  readonly troubles?: WriteTroubles;
}

/** Most writes in any second. */
const WRITES_PER_S = 20;
/** In flight together: one that hangs holds up no other. */
const AT_ONCE = 4;
const NO_ANSWER = { status: 0, retryAfterMs: undefined };
/** Who was given the rights that it lacked looks whether that helped. */
const PAUSES = { awayMs: 10_000, refusedMs: 30_000 };

/**
 * Writes statuses by server-side apply, a bounded number a second, the newest for each object, for namespaces in turn.
 * One that fails is tried again after a pause of its own, behind all others of its namespace.
 */
export class StatusWriter {
  readonly #options: StatusWriterOptions;
  readonly #timers: Timers;
  readonly #rate = new WriteRate(WRITES_PER_S);
  readonly #ready = new StatusQueue();
  /** Waiting for another try; each cancels its timer. */
  readonly #delayed = new Map<string, { readonly desired: DesiredStatus; readonly cancel: () => void }>();
  readonly #failures = new Map<string, Retries>();
  readonly #inFlight = new Set<string>();
  #stopped = new AbortController();
  #isEnded = false;
  #cancelTurn: (() => void) | undefined = undefined;

  constructor(options: StatusWriterOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
  }

  /** Statuses that are not on the API server yet. */
  get waiting(): number {
    return this.#ready.size + this.#delayed.size + this.#inFlight.size;
  }

  want(desired: DesiredStatus): void {
    if (this.#isEnded) return;
    const key = `${desired.kind}/${desired.namespace}/${desired.name}`;
    const delayed = this.#delayed.get(key);
    // What failed keeps its pause: a new status for it changes what is written, not when.
    if (delayed !== undefined) this.#delayed.set(key, { ...delayed, desired });
    else this.#ready.set(key, desired);
    this.#turn();
  }

  /** Forgets what is not written yet, and breaks off what is being written: somebody else writes now. */
  clear(): void {
    for (const { cancel } of this.#delayed.values()) cancel();
    this.#delayed.clear();
    this.#ready.clear();
    this.#failures.clear();
    this.#cancelTurn?.();
    this.#cancelTurn = undefined;
    this.#stopped.abort();
    this.#stopped = new AbortController();
    this.#options.troubles?.forget();
  }

  stop(): void {
    this.#isEnded = true;
    this.clear();
  }

  #turn(): void {
    if (this.#cancelTurn !== undefined) return;
    while (this.#inFlight.size < AT_ONCE) {
      // The newer one waits until the older one is through, or they might arrive the other way round.
      const next = this.#ready.next((key) => !this.#inFlight.has(key));
      if (next === undefined) return;
      const [key, desired] = next;
      const waitMs = this.#rate.take(this.#options.clock.monotonicMs());
      if (waitMs > 0) {
        this.#cancelTurn = this.#timers.after(waitMs, () => {
          this.#cancelTurn = undefined;
          this.#turn();
        });
        return;
      }
      this.#ready.remove(key, desired);
      this.#inFlight.add(key);
      void this.#write(key, desired);
    }
  }

  async #write(key: string, desired: DesiredStatus): Promise<void> {
    const { config, fieldManager, onWrite, mayWrite, troubles } = this.#options;
    const { signal } = this.#stopped;
    try {
      const isWritten = await applyStatus(desired, { config, fieldManager, signal, ...(mayWrite && { mayWrite }) });
      this.#failures.delete(key);
      if (!signal.aborted) troubles?.end(desired);
      if (isWritten) onWrite('success');
    } catch (error) {
      if (signal.aborted) return;
      onWrite('failure', `${desired.kind} ${desired.namespace}/${desired.name}: ${reasonOf(error)}`);
      troubles?.begin(desired, error, !mayPass(error));
      if (mayPass(error)) this.#later(key, desired, error);
    } finally {
      this.#inFlight.delete(key);
      this.#turn();
    }
  }

  #later(key: string, desired: DesiredStatus, error: unknown): void {
    const retries = this.#failures.get(key) ?? new Retries(PAUSES, this.#options.random);
    this.#failures.set(key, retries);
    const newest = this.#ready.remove(key, desired) ?? desired;
    const { status, retryAfterMs } = error instanceof KubeError ? error : NO_ANSWER;
    const waitMs = Math.max(retryAfterMs ?? 0, retries.failed(status));
    const cancel = this.#timers.after(waitMs, () => {
      const waited = this.#delayed.get(key);
      this.#delayed.delete(key);
      if (waited !== undefined) this.want(waited.desired);
    });
    this.#delayed.set(key, { desired: newest, cancel });
  }
}

/** What the API server refuses for its content stays refused; rights, conflicts and troubles pass. */
function mayPass(error: unknown): boolean {
  if (!(error instanceof KubeError)) return true;
  return error.status < 400 || error.status >= 500 || [401, 403, 408, 409, 429].includes(error.status);
}
