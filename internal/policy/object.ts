import type { Problem } from '../core/problem.ts';

/** A Kubernetes object as a watch or a file gave it: nothing in it is believed before it is parsed. */
export interface SourceObject {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: unknown;
  readonly status?: unknown;
  readonly data?: Readonly<Record<string, string>>;
  readonly stringData?: Readonly<Record<string, string>>;
  readonly type?: string;
  /**
   * What its reader found wrong around its spec, and has said: such an object is never accepted, whatever its spec says.
   * Only of files; an API server takes in nothing of the kind.
   */
  readonly problems?: readonly Problem[];
}

export interface ObjectMeta {
  readonly name: string;
  /** Empty for what is of the cluster. */
  readonly namespace: string;
  /** In files: hash of kind, namespace and name. */
  readonly uid: string;
  /** Counts up with every change of the spec; in files since the start of the process. */
  readonly generation: number;
  readonly resourceVersion?: string;
  /** RFC 3339; absent in files. */
  readonly creationTimestamp?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

/** Older first, then by namespace and name: how ties are broken everywhere. Names of files stand in for age. */
export function compareAge(a: ObjectMeta, b: ObjectMeta): number {
  const left = a.creationTimestamp ?? '';
  const right = b.creationTimestamp ?? '';
  if (left !== right) return left < right ? -1 : 1;
  if (a.namespace !== b.namespace) return a.namespace < b.namespace ? -1 : 1;
  if (a.name === b.name) return 0;
  return a.name < b.name ? -1 : 1;
}

/** `namespace/name`, or the name of what is of the cluster. */
export const objectKey = ({ namespace, name }: { readonly namespace: string; readonly name: string }): string =>
  namespace === '' ? name : `${namespace}/${name}`;

/** Status writes change the object, not what it says. */
export function isSameSpec(a: SourceObject, b: SourceObject): boolean {
  if (a.metadata.uid !== b.metadata.uid || a.metadata.generation !== b.metadata.generation) return false;
  if (a.problems !== b.problems) return false;
  return JSON.stringify(a.spec) === JSON.stringify(b.spec);
}
