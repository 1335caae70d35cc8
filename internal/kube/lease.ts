import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { KubeError, reasonOf, statusOf } from './kube-error.ts';
import { isBefore } from './kube-object.ts';
import { type LeaseObject, type LeasePlace, type LeaseSpec, microTime, readLease, writeLease } from './lease-record.ts';
import { systemTimers, type Timers } from './timers.ts';

export interface LeaseOptions {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly name: string;
  /** Who this instance is, for people; a random part is added, so that no two share it. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  readonly onGain: () => void;
  readonly onLoss: () => void;
  readonly onError: (why: string, status?: number) => void;
  /** The API server answered as it should, whoever holds the lease. */
  readonly onContact?: () => void;
  /** How long a holder that vanished keeps the others waiting. */
  readonly durationMs?: number;
  /** Written on the lease, so that watches of the class show it. */
  readonly labels?: Readonly<Record<string, string>>;
  /** The lease as a watch shows it; undefined when it shows none, and then it is asked for. */
  readonly known?: () => LeaseObject | undefined;
}

const DURATION_MS = 15_000;
const CONFLICT = 409;

/**
 * One holder at a time, by a Lease. Clocks of different machines are never compared: a lease counts as lapsed when this
 * process has watched it stay the same for its whole duration. A holder stops being one when it could not renew for two
 * thirds of it, whatever request is still on its way.
 */
export class LeaseHolder {
  readonly #options: LeaseOptions;
  readonly #timers: Timers;
  readonly #durationMs: number;
  readonly #identity: string;
  readonly #place: LeasePlace;
  /** What the lease said, and when this process first saw it say so. */
  #seen: { readonly words: string; readonly atMs: number } | undefined = undefined;
  /** When the request began that last renewed it; before that request the lease may have been somebody else's. */
  #renewedMs = -Infinity;
  /** As it was last written here: a watch may not show it yet. */
  #written: LeaseObject | undefined = undefined;
  /** Somebody was faster, so what a watch shows is old. */
  #mustRead = false;
  #isHeld = false;
  #isStopped = false;
  #cancelTurn: () => void = () => {};
  #cancelLoss: () => void = () => {};
  #turn: Promise<void> = Promise.resolve();

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    this.#durationMs = options.durationMs ?? DURATION_MS;
    this.#identity = `${options.identity}_${Math.floor(options.random() * 2 ** 48).toString(36)}`;
    const { config, namespace, name } = options;
    this.#place = { config, namespace, name, timeoutMs: this.#durationMs / 3 };
  }

  /** Also false when the time is over and no timer has run yet: a stalled process must not think that it holds on. */
  get isHeld(): boolean {
    return this.#isHeld && this.#options.clock.monotonicMs() - this.#renewedMs < this.#holdMs;
  }

  start(): void {
    this.#turn = this.#take();
  }

  /** Stops, and gives the lease back so that the next one need not wait. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTurn();
    this.#lose();
    await this.#turn;
    // Also what a request that was on its way when we stopped has taken.
    if (this.#renewedMs === -Infinity) return;
    await this.#release().catch((error: unknown) => this.#options.onError(reasonOf(error), statusOf(error)));
  }

  get #holdMs(): number {
    return (this.#durationMs * 2) / 3;
  }

  async #take(): Promise<void> {
    let isRenewed = false;
    try {
      isRenewed = await this.#tryOnce();
    } catch (error) {
      // Somebody was faster: the next turn sees who.
      this.#mustRead = true;
      if (error instanceof KubeError && error.status === CONFLICT) this.#options.onContact?.();
      else this.#options.onError(reasonOf(error), statusOf(error));
    }
    if (this.#isStopped) return;
    const jitter = 0.8 + this.#options.random() * 0.4;
    // Who holds it has time; who waits for it looks more often, mostly at what a watch showed.
    this.#cancelTurn = this.#timers.after((this.#durationMs / (isRenewed ? 3 : 6)) * jitter, () => {
      this.#turn = this.#take();
    });
  }

  /** @returns whether it was renewed */
  async #tryOnce(): Promise<boolean> {
    const startMs = this.#options.clock.monotonicMs();
    const shown = this.#mustRead ? undefined : this.#shown();
    const lease = shown ?? (await readLease(this.#place));
    this.#mustRead = false;
    if (this.#isStopped) return false;
    if (lease !== undefined && !this.#isFree(lease)) {
      this.#lose();
      if (shown === undefined) this.#options.onContact?.();
      return false;
    }
    const { labels = {} } = this.#options;
    this.#written = await writeLease(this.#place, { labels, spec: this.#spec(lease?.spec) }, lease);
    this.#hold(startMs);
    this.#options.onContact?.();
    return true;
  }

  /** The newest that is known without asking. */
  #shown(): LeaseObject | undefined {
    const known = this.#options.known?.();
    if (known === undefined) return undefined;
    const written = this.#written;
    const isWrittenNewer =
      written?.metadata.uid === known.metadata.uid &&
      isBefore(known.metadata.resourceVersion ?? '', written?.metadata.resourceVersion ?? '');
    return isWrittenNewer ? written : known;
  }

  #isFree({ spec }: LeaseObject): boolean {
    const holder = spec?.holderIdentity ?? '';
    const words = `${holder} ${spec?.renewTime} ${spec?.leaseTransitions}`;
    const nowMs = this.#options.clock.monotonicMs();
    if (this.#seen?.words !== words) this.#seen = { words, atMs: nowMs };
    if (holder === '' || holder === this.#identity) return true;
    const seconds = spec?.leaseDurationSeconds ?? 0;
    return nowMs - this.#seen.atMs >= (seconds > 0 ? seconds * 1000 : this.#durationMs);
  }

  #hold(startMs: number): void {
    this.#renewedMs = startMs;
    if (this.#isStopped) return;
    this.#cancelLoss();
    const leftMs = startMs + this.#holdMs - this.#options.clock.monotonicMs();
    this.#cancelLoss = this.#timers.after(Math.max(0, leftMs), () => this.#lose());
    if (this.#isHeld) return;
    this.#isHeld = true;
    this.#options.onGain();
  }

  #lose(): void {
    this.#cancelLoss();
    if (!this.#isHeld) return;
    this.#isHeld = false;
    this.#options.onLoss();
  }

  #spec(previous: LeaseSpec | undefined): LeaseSpec {
    const now = microTime(this.#options.clock.wallMs());
    const isOurs = previous?.holderIdentity === this.#identity;
    const transitions = previous?.leaseTransitions ?? 0;
    return {
      holderIdentity: this.#identity,
      leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
      acquireTime: isOurs ? (previous.acquireTime ?? now) : now,
      renewTime: now,
      leaseTransitions: isOurs || previous === undefined ? transitions : transitions + 1,
    };
  }

  async #release(): Promise<void> {
    const lease = await readLease(this.#place);
    if (lease?.spec?.holderIdentity !== this.#identity) return;
    const spec = { ...lease.spec, holderIdentity: '', leaseDurationSeconds: 1 };
    await writeLease(this.#place, { spec }, lease);
  }
}
