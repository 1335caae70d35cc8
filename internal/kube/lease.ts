import type { KubeConfig } from '@kubernetes/client-node';
import type { Clock } from '../core/clock.ts';
import { KubeError, kubeCall, pathOf, type Resource } from './client.ts';

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

export interface LeaseOptions {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly name: string;
  /** Who this instance is; no two may share it. */
  readonly identity: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly onGain: () => void;
  readonly onLoss: () => void;
  readonly onError: (why: string) => void;
  readonly durationMs?: number;
}

interface LeaseObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: {
    readonly holderIdentity?: string | null;
    readonly leaseDurationSeconds?: number;
    readonly renewTime?: string;
    readonly leaseTransitions?: number;
  };
}

const DURATION_MS = 15_000;

/**
 * One holder at a time, by a Lease. Clocks of different machines are never compared: a lease counts as lapsed when this
 * process has watched it stay the same for its whole duration, and as lost when it could not be renewed for two thirds.
 */
export class LeaseHolder {
  readonly #options: LeaseOptions;
  readonly #durationMs: number;
  #seen: { readonly version: string; readonly atMs: number } | undefined = undefined;
  #renewedMs = -Infinity;
  #isHeld = false;
  #isStopped = false;
  #timer: NodeJS.Timeout | undefined = undefined;

  constructor(options: LeaseOptions) {
    this.#options = options;
    this.#durationMs = options.durationMs ?? DURATION_MS;
  }

  get isHeld(): boolean {
    return this.#isHeld;
  }

  start(): void {
    void this.#turn();
  }

  /** Stops, and gives the lease back so that the next one need not wait. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#timer);
    if (!this.#isHeld) return;
    this.#lose();
    await this.#release().catch((error: unknown) => this.#options.onError(messageOf(error)));
  }

  async #turn(): Promise<void> {
    try {
      await this.#tryOnce();
    } catch (error) {
      if (!(error instanceof KubeError && error.status === 409)) this.#options.onError(messageOf(error));
    }
    if (this.#isHeld && this.#options.clock.monotonicMs() - this.#renewedMs > (this.#durationMs * 2) / 3) this.#lose();
    if (this.#isStopped) return;
    const jitter = 0.8 + this.#options.random() * 0.4;
    this.#timer = setTimeout(() => void this.#turn(), (this.#durationMs / 6) * jitter);
  }

  async #tryOnce(): Promise<void> {
    const nowMs = this.#options.clock.monotonicMs();
    const lease = await this.#read();
    if (lease === undefined) {
      await this.#write('POST', undefined);
      return this.#gain(nowMs);
    }
    const version = lease.metadata.resourceVersion ?? '';
    if (this.#seen?.version !== version) this.#seen = { version, atMs: nowMs };
    const holder = lease.spec?.holderIdentity ?? '';
    const durationMs = (lease.spec?.leaseDurationSeconds ?? this.#durationMs / 1000) * 1000;
    const isFree = holder === '' || holder === this.#options.identity || nowMs - this.#seen.atMs >= durationMs;
    if (!isFree) {
      if (this.#isHeld) this.#lose();
      return;
    }
    await this.#write('PUT', lease);
    this.#gain(nowMs);
  }

  #gain(nowMs: number): void {
    this.#renewedMs = nowMs;
    if (this.#isHeld || this.#isStopped) return;
    this.#isHeld = true;
    this.#options.onGain();
  }

  #lose(): void {
    this.#isHeld = false;
    this.#options.onLoss();
  }

  async #read(): Promise<LeaseObject | undefined> {
    const { config, namespace, name } = this.#options;
    try {
      return (await kubeCall(config, { method: 'GET', path: pathOf(LEASES, namespace, name) })) as LeaseObject;
    } catch (error) {
      if (error instanceof KubeError && error.status === 404) return undefined;
      throw error;
    }
  }

  async #write(method: 'POST' | 'PUT', previous: LeaseObject | undefined): Promise<void> {
    const { config, namespace, name, identity, clock } = this.#options;
    const isTransition = previous?.spec?.holderIdentity !== identity;
    const lease = {
      apiVersion: 'coordination.k8s.io/v1',
      kind: 'Lease',
      metadata: {
        name,
        namespace,
        ...(previous?.metadata.resourceVersion !== undefined && { resourceVersion: previous.metadata.resourceVersion }),
      },
      spec: {
        holderIdentity: identity,
        leaseDurationSeconds: Math.ceil(this.#durationMs / 1000),
        renewTime: `${new Date(clock.wallMs()).toISOString().slice(0, -1)}000Z`,
        leaseTransitions: (previous?.spec?.leaseTransitions ?? 0) + (isTransition && previous !== undefined ? 1 : 0),
      },
    };
    const path = pathOf(LEASES, namespace, method === 'POST' ? undefined : name);
    await kubeCall(config, { method, path, contentType: 'application/json', body: lease });
  }

  async #release(): Promise<void> {
    const lease = await this.#read();
    if (lease?.spec?.holderIdentity !== this.#options.identity) return;
    const { config, namespace, name } = this.#options;
    const body = { ...lease, spec: { ...lease.spec, holderIdentity: '' } };
    await kubeCall(config, {
      method: 'PUT',
      path: pathOf(LEASES, namespace, name),
      contentType: 'application/json',
      body,
    });
  }
}

const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
