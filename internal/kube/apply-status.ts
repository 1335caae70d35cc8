import { type KubeConfig, kubeCall, pathOf, type Resource } from './client.ts';
import { KubeError } from './kube-error.ts';

/** A status as it should be on the API server. */
export interface DesiredStatus {
  readonly resource: Resource;
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  /** The object that the status is about; one made anew under its name gets none of it. */
  readonly uid: string;
  /** Of the spec that it was worked out from: a newer one gets a status of its own. */
  readonly generation: number;
  /** As the object was seen when the status was worked out. */
  readonly resourceVersion: string | undefined;
  readonly status: object;
}

export interface ApplyOptions {
  readonly config: KubeConfig;
  readonly fieldManager: string;
  readonly signal: AbortSignal;
  /** Whether this process is still the one that writes, by its own clock: it may have been stopped for a while. */
  readonly mayWrite?: () => boolean;
}

const CONFLICT = 409;

/**
 * Server-side apply of a status. The API server does not compare uids there, so the resource version is the condition:
 * else the last good spec of a deleted policy could become that of another one with its name.
 *
 * @returns false when the object is gone, or is another one or of another generation by now, or somebody else writes
 * @throws {KubeError}
 */
export async function applyStatus(desired: DesiredStatus, options: ApplyOptions): Promise<boolean> {
  const { mayWrite = () => true } = options;
  if (!mayWrite()) return false;
  try {
    if (desired.resourceVersion !== undefined) {
      await patch(desired, desired.resourceVersion, options);
      return true;
    }
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return false;
    if (!(error instanceof KubeError && error.status === CONFLICT)) throw error;
  }
  // Changed since it was seen, by another class's status perhaps.
  const current = await read(desired, options);
  if (current?.metadata.uid !== desired.uid) return false;
  // Whoever writes now has seen that one, and says of it what is to be said: a status never goes back.
  if (current.metadata.generation !== desired.generation || !mayWrite()) return false;
  const status = withNewestAccepted(desired.status, current.status, current.metadata.generation);
  await patch({ ...desired, status }, current.metadata.resourceVersion, options);
  return true;
}

/** Whoever wrote in between may have accepted a newer spec: it is not set back to an older one, which could allow more. */
function withNewestAccepted(status: Accepting, current: unknown, generation: number): object {
  const known = (current ?? {}) as Accepting;
  const { instances } = status;
  // Of a kind that every class reads, each class has an entry with a spec of its own.
  if (instances !== undefined) {
    const entries = instances.map((entry) => {
      const same = known.instances?.find(({ className }) => className === entry.className);
      return withNewestAccepted(entry, same, generation);
    });
    return { ...status, instances: entries };
  }
  const [ours, theirs] = [status.accepted, known.accepted];
  if (ours?.generation === undefined || theirs?.generation === undefined) return status;
  // One of a generation that does not exist yet is forged, and would never be overwritten.
  const isNewer = theirs.generation > ours.generation && theirs.generation <= generation;
  return isNewer ? { ...status, accepted: theirs } : status;
}

function patch(
  desired: DesiredStatus,
  resourceVersion: string,
  { config, fieldManager, signal }: ApplyOptions,
): Promise<unknown> {
  const { apiVersion, kind, namespace, name, status } = desired;
  return kubeCall(config, {
    method: 'PATCH',
    path: `${pathTo(desired)}/status`,
    query: { fieldManager, force: 'true' },
    contentType: 'application/apply-patch+yaml',
    body: { apiVersion, kind, metadata: { name, ...(namespace !== '' && { namespace }), resourceVersion }, status },
    signal,
  });
}

interface Accepting {
  readonly className?: string;
  readonly accepted?: { readonly generation?: number };
  readonly instances?: readonly Accepting[];
}

interface Current {
  readonly metadata: { readonly uid: string; readonly resourceVersion: string; readonly generation: number };
  readonly status?: unknown;
}

async function read(desired: DesiredStatus, { config, signal }: ApplyOptions): Promise<Current | undefined> {
  try {
    return (await kubeCall(config, { method: 'GET', path: pathTo(desired), signal })) as Current;
  } catch (error) {
    if (error instanceof KubeError && error.status === 404) return undefined;
    throw error;
  }
}

const pathTo = ({ resource, namespace, name }: DesiredStatus): string =>
  pathOf(resource, namespace === '' ? undefined : namespace, name);
