import { hostname } from 'node:os';
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/decision.ts';
import type { KubeConfig } from '../kube/client.ts';
import { isOutage } from '../kube/kube-error.ts';
import { LeaseHolder } from '../kube/lease.ts';
import { CLASS_LABEL } from '../kube/lease-record.ts';
import { Programming } from '../kube/programming.ts';
import { ReplicaLease } from '../kube/replica-lease.ts';
import { Replicas } from '../kube/replicas.ts';
import { type Serving, servingOf } from '../kube/serving.ts';
import type { Timers } from '../kube/timers.ts';
import { grantingLeases } from '../kube/watch-grant.ts';
import type { Build, ObjectReport, PolicyFeed } from '../policy/store.ts';
import type { Log } from '../telemetry/log.ts';
import { Admission } from './admission.ts';
import type { KindWatches } from './kind-watches.ts';
import type { SourceTroubles, Trouble } from './source-troubles.ts';

export interface ReplicaOptions {
  readonly kube: KubeConfig;
  readonly className: string;
  /** Where the Leases of the class lie. */
  readonly namespace: string;
  /** Whose token the API server is shown; undefined where it is not to be told. */
  readonly account: { readonly namespace: string; readonly name: string } | undefined;
  readonly clock: Clock;
  readonly timers?: Timers;
  readonly log: Log;
  readonly troubles: SourceTroubles;
  readonly kinds: KindWatches;
  /** It is this replica that writes statuses from now on, or not any more. */
  readonly onWriter: (isWriter: boolean) => void;
  /** What replicas serve is something else than before. */
  readonly onReplicas: () => void;
}

const FORBIDDEN = 403;

/** This process as one of several: it tells what it serves, learns what the others serve, and one of them writes. */
export class Replica {
  readonly programming: Programming;
  readonly #options: ReplicaOptions;
  readonly #own: ReplicaLease;
  readonly #replicas: Replicas;
  readonly #writer: LeaseHolder;
  readonly #admission: Admission;
  #store: PolicyFeed | undefined = undefined;
  #serving: Serving | undefined = undefined;
  /** Which generation of each policy was told last, and whether it serves. */
  #told: ReadonlyMap<string, string> = new Map();

  constructor(options: ReplicaOptions) {
    const { kube, className, namespace, clock, timers, log, troubles, kinds, onWriter, onReplicas } = options;
    this.#options = options;
    const common = { config: kube, namespace, className, clock, random: Math.random, ...(timers && { timers }) };
    const without = 'without it no policy is said to be programmed';
    const ownPlace = () => ({ resource: 'leases', place: `${namespace}/${this.#own.name}` });
    const all = { resource: 'leases', place: namespace };
    this.#own = new ReplicaLease({
      ...common,
      host: hostname(),
      onRenewed: (startMs) => {
        this.#admission.renewed(startMs);
        troubles.end(ownPlace());
      },
      onError: (why, status) => troubles.begin({ ...ownPlace(), ...this.#failing(why, status, without) }),
    });
    this.#replicas = new Replicas({
      ...common,
      own: this.#own,
      onChange: () => {
        if (this.isWriter) void this.#replicas.sweep();
        onReplicas();
      },
      onError: (why, status) => troubles.begin({ ...all, ...this.#failing(why, status, without) }),
      onContact: () => troubles.end(all),
    });
    this.programming = new Programming({
      alive: () => this.#replicas.alive(),
      scope: (found) => kinds.scope(found),
      own: () => this.#serving,
    });
    this.#admission = new Admission({
      clock,
      ...(timers && { timers }),
      renew: () => this.#own.renew(),
      refresh: (after) => this.#refresh(after),
      onWoken: (stoppedMs) =>
        log.warn('This process was stopped, and reads everything anew before it answers', { stoppedMs }),
    });
    this.#writer = this.#electable(common, onWriter);
  }

  /** Why no check may be answered by what is known now. */
  notNow(): Refusal | undefined {
    return this.#admission.refusal();
  }

  get heldUntilMs(): number {
    return this.#admission.heldUntilMs;
  }

  get admitted(): Promise<void> {
    return this.#admission.first;
  }

  /** Whether this replica is the one that writes, by its own clock. */
  get isWriter(): boolean {
    return this.#writer.isHeld;
  }

  start(store: PolicyFeed): void {
    this.#store = store;
    this.#replicas.start();
    this.#writer.start();
  }

  /** A snapshot serves. */
  built({ reports, horizon = {} }: Pick<Build, 'reports' | 'horizon'>): void {
    const { untold } = this.#options.kinds;
    const isFirst = this.#serving === undefined;
    this.#serving = servingOf(reports, horizon, untold);
    const told = standings(reports);
    const isOther = told.size !== this.#told.size || [...told].some(([uid, text]) => this.#told.get(uid) !== text);
    this.#told = told;
    // The first one is told by being admitted.
    this.#own.tell(this.#serving, isOther && !isFirst);
    this.#admission.built();
  }

  /** Policies wait for a replica that may be gone: whether it is shows with the next renewal of our own. */
  awaiting(): void {
    if (this.#replicas.isAnyLate) void this.#own.renew();
  }

  async stop(): Promise<void> {
    this.#admission.stop();
    this.#replicas.stop();
    await Promise.all([this.#own.stop(), this.#writer.stop()]);
  }

  async #refresh(after: 'first' | 'woken'): Promise<void> {
    await this.#options.kinds.relist(after === 'first' ? 'what decides' : 'everything');
    await this.#store?.caughtUp();
  }

  /** What to say of Leases that cannot be had: what is lost without them, and where rights are missing, how to give them. */
  #failing(why: string, status: number | undefined, without: string): Pick<Trouble, 'why' | 'outage'> {
    if (isOutage(status)) return { why: `${why}; ${without}`, outage: why };
    const { namespace, account } = this.#options;
    const mend = status === FORBIDDEN ? `: ${grantingLeases({ namespace, account })}` : '';
    return { why: `${why}; ${without}${mend}` };
  }

  /** The Lease that elects the one who writes. */
  #electable(
    common: { config: KubeConfig; namespace: string; clock: Clock; random: () => number; timers?: Timers },
    onWriter: (isWriter: boolean) => void,
  ): LeaseHolder {
    const { className, troubles } = this.#options;
    const name = `postern-status-${className}`;
    const place = { resource: 'leases', place: `${common.namespace}/${name}` };
    const without = `without the Lease "${name}" of the namespace "${common.namespace}" this instance writes no status`;
    return new LeaseHolder({
      ...common,
      name,
      identity: `${hostname()}-${process.pid}`,
      labels: { [CLASS_LABEL]: className },
      known: () => this.#replicas.lease(name),
      onGain: () => onWriter(true),
      onLoss: () => onWriter(false),
      onError: (why, status) => troubles.begin({ ...place, ...this.#failing(why, status, without) }),
      onContact: () => troubles.end(place),
    });
  }
}

function standings(reports: readonly ObjectReport[]): ReadonlyMap<string, string> {
  const found = new Map<string, string>();
  for (const { object, isAccepted } of reports)
    if (object.kind === 'APIPolicy') found.set(object.metadata.uid, `${object.metadata.generation} ${isAccepted}`);
  return found;
}
