import type { KubeConfig } from '@kubernetes/client-node';
import { kubeCall, pathOf, type Resource } from './client.ts';
import { KubeError } from './kube-error.ts';

const LEASES: Resource = { group: 'coordination.k8s.io', version: 'v1', plural: 'leases' };

/** `Lease` of `coordination.k8s.io/v1`, as far as it is read here. */
export interface LeaseObject {
  readonly metadata: { readonly name: string; readonly namespace: string; readonly resourceVersion?: string };
  readonly spec?: LeaseSpec;
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

/**
 * Creates the lease, or replaces `previous` unless somebody else did so meanwhile.
 *
 * @throws {KubeError} 409 when somebody was faster
 */
export async function writeLease(place: LeasePlace, spec: LeaseSpec, previous: LeaseObject | undefined): Promise<void> {
  const { config, namespace, name, timeoutMs } = place;
  const metadata = previous?.metadata ?? { name, namespace };
  const body = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata, spec };
  const how = { contentType: 'application/json', body, timeoutMs };
  if (previous === undefined) await kubeCall(config, { ...how, method: 'POST', path: pathOf(LEASES, namespace) });
  else await kubeCall(config, { ...how, method: 'PUT', path: pathOf(LEASES, namespace, name) });
}
