import type { ObjectMeta, SourceObject } from '../policy/object.ts';
import { GarbledError } from './kube-error.ts';

/** An object as the API server gave it. */
export type KubeObject = SourceObject;

/** The last text that kubectl applied: a second copy of the object, of a Secret's values even. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/**
 * What a list or a watch sent, as an object of the kind that was asked for (items of a list carry neither kind nor
 * version). What nobody reads is dropped, so that 10,000 objects are not kept twice.
 *
 * @throws {GarbledError} for what has no name or version: a lost object must not pass unnoticed
 */
export function readObject(value: unknown, kind: string, apiVersion: string): KubeObject {
  const { metadata } = (value ?? {}) as {
    readonly metadata?: Partial<Mutable<ObjectMeta>> & { managedFields?: unknown };
  };
  if (
    typeof metadata?.name !== 'string' ||
    typeof metadata.uid !== 'string' ||
    typeof metadata.resourceVersion !== 'string'
  )
    throw new GarbledError(`The API server sent a ${kind} without name, uid or resourceVersion`);
  delete metadata.managedFields;
  const { annotations } = metadata as { annotations?: Record<string, string> };
  if (annotations !== undefined) delete annotations[LAST_APPLIED];
  metadata.namespace ??= '';
  metadata.generation ??= 1;
  return Object.assign(value as KubeObject, { kind, apiVersion });
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

export const keyOf = ({ metadata: { namespace, name } }: KubeObject): string => `${namespace}/${name}`;

/**
 * Whether a resource version lies before another. Both are decimal numbers of one history; what is not cannot be
 * compared and is never before.
 */
export function isBefore(version: string, other: string): boolean {
  if (!/^[1-9]\d*$/.test(version) || !/^[1-9]\d*$/.test(other)) return false;
  return version.length === other.length ? version < other : version.length < other.length;
}
