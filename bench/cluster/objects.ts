import { isClusterScoped, KINDS, type KindName } from '../../internal/policy/resource/kinds.ts';
import type { ApiServer } from '../../test/components/api-server.ts';

/** An object as it is sent to the API server. */
export interface Created {
  readonly apiVersion: string;
  readonly kind: KindName;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly spec: object;
}

/** A policy that lets everybody in, or nobody. */
export const anyone = (name: string, host: string, isOpen: boolean, namespace = 'default'): Created => ({
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'APIPolicy',
  metadata: { name, namespace },
  spec: {
    target: { hosts: [host] },
    authentication: { anonymous: {} },
    authorization: { rules: [{ name: 'all', [isOpen ? 'allow' : 'deny']: { any: {} } }] },
  },
});

/** Every host of these figures to every namespace: as where grants are required, which is the default. */
export const EVERY_HOST: Created = {
  apiVersion: 'postern.dev/v1alpha1',
  kind: 'HostGrant',
  metadata: { name: 'figures' },
  spec: { hosts: ['*.example.org'], namespaceSelector: {} },
};

/** Where objects of a kind and namespace are made. */
export const collectionOf = ({ apiVersion, kind, metadata }: Created): string =>
  `/apis/${apiVersion}/${isClusterScoped(kind) ? '' : `namespaces/${metadata.namespace ?? 'default'}/`}${KINDS[kind].plural}`;

/** Makes objects, many at a time. */
export async function createAll(api: ApiServer, objects: readonly Created[], atOnce = 100): Promise<void> {
  const create = async (object: Created): Promise<void> => {
    const { status, body } = await api.call('POST', collectionOf(object), object);
    if (status !== 201) throw new Error(`An object was refused with ${status}: ${JSON.stringify(body)}`);
  };
  for (let at = 0; at < objects.length; at += atOnce) await Promise.all(objects.slice(at, at + atOnce).map(create));
}

/** Applies one with kubectl, as people do. */
export async function applyObject(api: ApiServer, object: Created): Promise<void> {
  const { code, stderr } = await api.kubectl(['apply', '-f', '-'], JSON.stringify(object));
  if (code !== 0) throw new Error(stderr);
}
