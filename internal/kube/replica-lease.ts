import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { KubeError, reasonOf, statusOf } from './kube-error.ts';
import {
  CLASS_LABEL,
  deleteLease,
  type LeaseObject,
  type LeasePlace,
  type LeaseWords,
  microTime,
  readLease,
  writeLease,
} from './lease-record.ts';
import { SERVES_ANNOTATION, type Serving, writeServing } from './serving.ts';
import { systemTimers, type Timers } from './timers.ts';

export interface ReplicaLeaseOptions {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly className: string;
  /** Where this process runs, for people: a random part is added, so that no two share a Lease. */
  readonly host: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  /** It was renewed by a request that began at this monotonic time. */
  readonly onRenewed: (startMs: number) => void;
  readonly onError: (why: string, status?: number) => void;
}

/** Without a renewal for so long a replica does not count as alive any more. */
export const REPLICA_LEASE_MS = 15_000;
const BEAT_MS = 6000;
const RETRY_MS = 2000;
/** Between the beginnings of two renewals: snapshots that follow each other closely are told together. */
const APART_MS = 200;
const TIMEOUT_MS = 5000;
const NOT_FOUND = 404;
const CONFLICT = 409;
/** Renewals whose beginning is remembered. */
const MAX_BEATS = 64;

/** The annotation that counts the renewals of a Lease. */
export const BEAT_ANNOTATION = 'postern.dev/beat';

/**
 * The Lease of this replica alone: that it is alive, and what it serves. Renewed as soon as that changes and else now
 * and then. It does not exist before the first snapshot, and is removed when the replica stops.
 */
export class ReplicaLease {
  readonly name: string;
  readonly #options: ReplicaLeaseOptions;
  readonly #timers: Timers;
  readonly #place: LeasePlace;
  readonly #identity: string;
  readonly #acquired: string;
  #serving: Serving | undefined = undefined;
  #lease: LeaseObject | undefined = undefined;
  /** Whether the copy may be old: another try has to look first. */
  #mustRead = false;
  #beat = 0;
  readonly #begun = new Map<number, number>();
  #startMs = -Infinity;
  #isUnderWay = false;
  /** What it says has changed since a renewal began. */
  #isUrgent = false;
  #isStopped = false;
  #waiting: ((isRenewed: boolean) => void)[] = [];
  #cancelTurn: () => void = () => {};
  #turn: Promise<void> = Promise.resolve();

  constructor(options: ReplicaLeaseOptions) {
    const { config, namespace, className, host, random, clock } = options;
    this.#options = options;
    this.#timers = options.timers ?? systemTimers;
    const own = Math.floor(random() * 36 ** 8)
      .toString(36)
      .padStart(8, '0');
    this.name = `postern-replica-${className}-${nameable(host)}-${own}`;
    this.#identity = `${host}_${own}`;
    this.#acquired = microTime(clock.wallMs());
    this.#place = { config, namespace, name: this.name, timeoutMs: TIMEOUT_MS };
  }

  /** What it says from the next renewal on, which an urgent change does not wait for. */
  tell(serving: Serving, isUrgent: boolean): void {
    this.#serving = serving;
    this.#isUrgent ||= isUrgent;
    if (isUrgent) this.#soon(0);
  }

  /** Renews it now; resolves when that is through: whether it was renewed by a request that began after this call. */
  renew(): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    if (this.#isStopped) return Promise.resolve(false);
    this.#waiting.push(resolve);
    this.#soon(0);
    return promise;
  }

  /** When the renewal that carries this count began, on the monotonic clock; undefined when that is long ago. */
  begunMs(beat: number): number | undefined {
    return this.#begun.get(beat);
  }

  /** Removes it, so that nobody waits for this replica any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.#cancelTurn();
    await this.#turn;
    for (const resolve of this.#waiting.splice(0)) resolve(false);
    await this.#remove().catch((error: unknown) => this.#options.onError(reasonOf(error), statusOf(error)));
  }

  #soon(ms: number): void {
    if (this.#isUnderWay || this.#isStopped || this.#serving === undefined) return;
    this.#cancelTurn();
    const apartMs = this.#startMs + APART_MS - this.#options.clock.monotonicMs();
    const waitMs = Math.max(ms, apartMs);
    if (waitMs > 0) this.#cancelTurn = this.#timers.after(waitMs, () => this.#begin());
    else this.#begin();
  }

  #begin(): void {
    this.#isUnderWay = true;
    this.#turn = this.#run();
  }

  async #run(): Promise<void> {
    const wasUrgent = this.#isUrgent;
    this.#isUrgent = false;
    const waiting = this.#waiting.splice(0);
    const startMs = this.#options.clock.monotonicMs();
    this.#startMs = startMs;
    let isRenewed = false;
    try {
      await this.#write(startMs);
      isRenewed = true;
      this.#options.onRenewed(startMs);
    } catch (error) {
      this.#mustRead = true;
      this.#isUrgent ||= wasUrgent;
      this.#options.onError(reasonOf(error), statusOf(error));
    }
    this.#isUnderWay = false;
    for (const resolve of waiting) resolve(isRenewed);
    const isAsked = this.#waiting.length > 0 || (isRenewed && this.#isUrgent);
    const jitter = 0.9 + this.#options.random() * 0.2;
    this.#soon(isAsked ? 0 : (isRenewed ? BEAT_MS : RETRY_MS) * jitter);
  }

  async #write(startMs: number): Promise<void> {
    if (this.#mustRead) this.#lease = await readLease(this.#place);
    this.#mustRead = false;
    this.#beat += 1;
    this.#begun.set(this.#beat, startMs);
    this.#begun.delete(this.#beat - MAX_BEATS);
    const words = this.#words();
    try {
      this.#lease = await writeLease(this.#place, words, this.#lease);
    } catch (error) {
      if (!(error instanceof KubeError && (error.status === NOT_FOUND || error.status === CONFLICT))) throw error;
      // Removed as one that had lapsed, or written by a request whose answer was lost.
      this.#lease = await writeLease(this.#place, words, await readLease(this.#place));
    }
  }

  #words(): LeaseWords {
    const { clock, className } = this.#options;
    const serves = this.#serving && { [SERVES_ANNOTATION]: writeServing(this.#serving) };
    return {
      labels: { [CLASS_LABEL]: className },
      annotations: { ...serves, [BEAT_ANNOTATION]: String(this.#beat) },
      spec: {
        holderIdentity: this.#identity,
        leaseDurationSeconds: REPLICA_LEASE_MS / 1000,
        acquireTime: this.#acquired,
        renewTime: microTime(clock.wallMs()),
      },
    };
  }

  async #remove(): Promise<void> {
    if (this.#beat === 0) return;
    const lease = this.#mustRead ? await readLease(this.#place) : this.#lease;
    if (lease !== undefined) await deleteLease(this.#place, lease);
  }
}

/** A host's name as a part of an object's: it may hold anything on a developer's machine. */
const nameable = (host: string): string =>
  host
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '')
    .slice(0, 63);
