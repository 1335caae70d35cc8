import { packSpec, unpackSpec } from '../internal/kube/accepted-spec.ts';
import type { SourceObject } from '../internal/policy/object.ts';
import { type Loaded, load } from './cases/run-case.ts';

export const HOST = 'api.example.org';

/** Lets everybody in; `pathOptions` are left out where they are. */
export const specOf = (paths: readonly string[], hosts: readonly string[] = [HOST], pathOptions?: object) => ({
  target: { hosts, paths, ...(pathOptions !== undefined && { pathOptions }) },
  authentication: { anonymous: {} },
  authorization: { rules: [{ name: 'all', allow: { any: {} } }] },
});

interface Given {
  readonly namespace: string;
  readonly spec: object;
  readonly generation?: number;
  /** The spec of the generation before that status tells of. */
  readonly accepted?: object;
  readonly age?: string;
}

/** A policy whose status tells that it was accepted, in this generation or in the one before. */
export function recorded({
  namespace,
  spec,
  generation = 1,
  accepted,
  age = '2026-01-02T00:00:00Z',
}: Given): SourceObject {
  const metadata = { name: 'p', namespace, uid: `uid-${namespace}`, generation, creationTimestamp: age };
  const object = { apiVersion: 'postern.dev/v1alpha1', kind: 'APIPolicy', metadata, spec };
  const before = { ...object, metadata: { ...metadata, generation: generation - 1 }, spec: accepted };
  const { hosts } = ((accepted ?? spec) as ReturnType<typeof specOf>).target;
  return { ...object, status: { hosts, accepted: packSpec(accepted === undefined ? object : before) } };
}

export const grant = (name: string, spec: object): SourceObject => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'HostGrant',
  metadata: { name, namespace: '', uid: `uid-${name}`, generation: 1 },
  spec,
});
/** A selector of these namespaces. */
export const named = (...names: readonly string[]): object => ({
  matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values: names }],
});

/** An instance that has just been started, and was given these objects. */
export const restarted = (...objects: readonly SourceObject[]): Promise<Loaded> => restartedBy('required', objects);

export async function restartedBy(
  hostGrants: 'required' | 'first-come',
  objects: readonly SourceObject[],
): Promise<Loaded> {
  const loaded = await load('---', {
    hostGrants,
    unmatched: 'allow',
    recordedSpec: (object) => unpackSpec(object, 'postern'),
    isStarted: false,
  });
  for (const object of objects) loaded.store.apply(object);
  await loaded.apply('---');
  return loaded;
}

/** The reason, and whose policy decided. */
export const said = async ({ check }: Loaded, path: string, host = HOST): Promise<string> => {
  const { decision } = await check({ host, path });
  return `${decision.reason} ${decision.policy?.namespace ?? ''}`.trim();
};
