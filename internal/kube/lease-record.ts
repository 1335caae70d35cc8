import type { KubeConfig } from '@kubernetes/client-node';
import { kubeCall, pathOf, type Resource } from './client.ts';
import { KubeError } from './kube-error.ts';

export const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** Carried by every Lease of a class, so that its replicas watch no others. */
export const CLASS_LABEL = 'postern.dev/class';

/** `Lease` of `coordination.k8s.io/v1`, as far as it is read here. */
export interface LeaseObject {
  readonly metadata: LeaseMeta;
  readonly spec?: LeaseSpec;
}

export interface LeaseMeta {
  readonly name: string;
  readonly namespace: string;
  readonly uid?: string;
  readonly resourceVersion?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

export interface LeaseSpec {
  readonly holderIdentity?: string | null;
  readonly leaseDurationSeconds?: number | null;
  readonly acquireTime?: string | null;
  /** MicroTime of the holder's own clock: shown to people, never compared with another clock. */
  readonly renewTime?: string | null;
  readonly leaseTransitions?: number | null;
}

/** Where a Lease lies, and how its requests are bounded. */
export interface LeasePlace {
  readonly config: KubeConfig;
  readonly namespace: string;
  readonly name: string;
  readonly timeoutMs: number;
}

/** Kubernetes' MicroTime of a moment of the wall clock. */
export const microTime = (wallMs: number): string => `${new Date(wallMs).toISOString().slice(0, -1)}000Z`;

/** @returns undefined when there is none yet */
export async function readLease({ config, namespace, name, timeoutMs }: LeasePlace): Promise<LeaseObject | undefined> {
  try {
    const path = pathOf(LEASES, namespace, name);
    return (await kubeCall(config, { method: 'GET', path, timeoutMs })) as LeaseObject;
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}

/** What a Lease is to say: its labels and annotations are added to those that are there. */
export interface LeaseWords extends Pick<LeaseMeta, 'labels' | 'annotations'> {
  readonly spec: LeaseSpec;
}

/**
 * Creates the lease, or replaces `previous` unless somebody else did so meanwhile.
 *
 * @returns the lease as it is now
 * @throws {KubeError} 409 when somebody was faster, 404 when `previous` is gone
 */
export async function writeLease(
  place: LeasePlace,
  words: LeaseWords,
  previous: LeaseObject | undefined,
): Promise<LeaseObject> {
  const { config, namespace, name, timeoutMs } = place;
  const before = previous?.metadata;
  const metadata = {
    name,
    namespace,
    ...before,
    labels: { ...before?.labels, ...words.labels },
    annotations: { ...before?.annotations, ...words.annotations },
  };
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec: words.spec };
  const how = { contentType: 'application/json', body, timeoutMs };
  const call =
    previous === undefined
      ? ({ ...how, method: 'POST', path: pathOf(LEASES, namespace) } as const)
      : ({ ...how, method: 'PUT', path: pathOf(LEASES, namespace, name) } as const);
  return (await kubeCall(config, call)) as LeaseObject;
}

/**
 * Removes a lease as it was seen; one that was renewed since then stays.
 *
 * @throws {KubeError} 409 when it was renewed, 404 when it is gone
 */
export async function deleteLease(place: LeasePlace, { metadata }: LeaseObject): Promise<void> {
  const { config, namespace, name, timeoutMs } = place;
  const { uid, resourceVersion } = metadata;
  const body = { preconditions: { ...(uid !== undefined && { uid }), resourceVersion } };
  const path = pathOf(LEASES, namespace, name);
  await kubeCall(config, { method: 'DELETE', path, contentType: 'application/json', body, timeoutMs });
}
