import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { KubeError, reasonOf, statusOf } from './kube-error.ts';
import type { KubeObject } from './kube-object.ts';
import { CLASS_LABEL, deleteLease, LEASES, type LeaseObject } from './lease-record.ts';
import { Reflector } from './reflector.ts';
import { BEAT_ANNOTATION, REPLICA_LEASE_MS } from './replica-lease.ts';
import { readServing, SERVES_ANNOTATION, type Serving } from './serving.ts';
import type { Timers } from './timers.ts';

export interface ReplicasOptions {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly className: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly timers?: Timers;
  /** The Lease of this replica. */
  readonly own: { readonly name: string; begunMs(beat: number): number | undefined };
  /** Something of them is another than before. */
  readonly onChange: () => void;
  readonly onError: (why: string, status?: number) => void;
  readonly onContact: () => void;
}

/** A replica that counts as alive. */
export interface Replica {
  readonly name: string;
  /** undefined when it says nothing that this version understands. */
  readonly serving: Serving | undefined;
}

interface Seen {
  readonly lease: LeaseObject;
  readonly serving: Serving | undefined;
  /** When this process was told of it as it is now. */
  readonly atMs: number;
}

/** After so long without a renewal its Lease is removed: its process was killed. */
const REMOVED_MS = 4 * REPLICA_LEASE_MS;
const TIMEOUT_MS = 5000;

/**
 * The Leases of a class, by a watch: which replicas are alive, and what each serves. Clocks of different machines are
 * never compared. What is seen here is known to be whole up to the moment at which the newest renewal of our own began
 * that came back by the watch: so a process that was stopped, and has not read its events yet, takes nobody for dead.
 */
export class Replicas {
  readonly #options: ReplicasOptions;
  readonly #reflector: Reflector;
  readonly #seen = new Map<string, Seen>();
  #wholeMs = -Infinity;
  #isSweeping = false;

  constructor(options: ReplicasOptions) {
    this.#options = options;
    this.#reflector = new Reflector({
      ...options,
      resource: LEASES,
      kind: 'Lease',
      labelSelector: `${CLASS_LABEL}=${options.className}`,
      onApply: (object) => this.#apply(object),
      onDelete: ({ metadata }) => {
        this.#seen.delete(metadata.name);
        options.onChange();
      },
      onUnusable: ({ metadata }, why) => options.onError(`${metadata.name}: ${why}`),
    });
  }

  start(): void {
    this.#reflector.start();
  }

  stop(): void {
    this.#reflector.stop();
  }

  /** A Lease of the class as the watch shows it; undefined where it shows none. */
  lease(name: string): LeaseObject | undefined {
    return this.#reflector.isSynced ? this.#seen.get(name)?.lease : undefined;
  }

  /**
   * Those that are alive, by their names; undefined while this replica has not seen itself among them: what it sees may
   * be older than what it serves.
   */
  alive(): readonly Replica[] | undefined {
    const alive: Replica[] = [];
    let isOwnSeen = false;
    for (const [name, { lease, serving, atMs }] of this.#seen) {
      if (!isReplica(lease)) continue;
      const isOwn = name === this.#options.own.name;
      isOwnSeen ||= isOwn;
      if (isOwn || this.#wholeMs - atMs < durationOf(lease)) alive.push({ name, serving });
    }
    return isOwnSeen ? alive : undefined;
  }

  /** Whether another renewal of our own would show that somebody is not alive any more. */
  get isAnyLate(): boolean {
    const nowMs = this.#options.clock.monotonicMs();
    for (const [name, { lease, atMs }] of this.#seen) {
      if (name === this.#options.own.name || !isReplica(lease)) continue;
      const lapsesMs = atMs + durationOf(lease);
      if (lapsesMs > this.#wholeMs && lapsesMs <= nowMs) return true;
    }
    return false;
  }

  /** Removes the Leases of those that have been gone for long. */
  async sweep(): Promise<void> {
    if (this.#isSweeping) return;
    this.#isSweeping = true;
    for (const [name, { lease, atMs }] of this.#seen) {
      if (name === this.#options.own.name || !isReplica(lease) || this.#wholeMs - atMs < REMOVED_MS) continue;
      await this.#remove(name, lease);
    }
    this.#isSweeping = false;
  }

  async #remove(name: string, lease: LeaseObject): Promise<void> {
    const { config, namespace, onError } = this.#options;
    try {
      await deleteLease({ config, namespace, name, timeoutMs: TIMEOUT_MS }, lease);
    } catch (error) {
      // Gone, or renewed: it was stopped, and goes on.
      if (!(error instanceof KubeError && (error.status === 404 || error.status === 409)))
        onError(reasonOf(error), statusOf(error));
    }
  }

  #apply(object: KubeObject): void {
    const { clock, own, onChange } = this.#options;
    const lease = object as LeaseObject;
    const { name, annotations = {} } = lease.metadata;
    const serving = readServing(annotations[SERVES_ANNOTATION]);
    this.#seen.set(name, { lease, serving, atMs: clock.monotonicMs() });
    if (name === own.name) {
      const begunMs = own.begunMs(Number(annotations[BEAT_ANNOTATION]));
      if (begunMs !== undefined) this.#wholeMs = Math.max(this.#wholeMs, begunMs);
    }
    onChange();
  }
}

/** The Lease that elects the writer carries the label too, and is nobody's own. */
const isReplica = ({ metadata }: LeaseObject): boolean => metadata.annotations?.[BEAT_ANNOTATION] !== undefined;

/** As long as it says, within reason: nobody keeps others waiting for hours. */
function durationOf({ spec }: LeaseObject): number {
  const saidMs = (spec?.leaseDurationSeconds ?? 0) * 1000;
  return saidMs > 0 ? Math.min(saidMs, REMOVED_MS) : REPLICA_LEASE_MS;
}
