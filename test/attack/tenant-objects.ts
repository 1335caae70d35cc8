import { packSpec, unpackSpec } from '../../internal/kube/accepted-spec.ts';
import type { SourceObject } from '../../internal/policy/object.ts';
import type { Instance } from '../cases/run-case.ts';

export const OPEN = { rules: [{ name: 'all', allow: { any: {} } }] };
const NONSENSE = { rules: [{ name: 'all', allow: { when: [{ expression: 'nonsense' }] } }] };

/** Of a cluster, whose objects tell in their status what was accepted. */
export const FROM_CLUSTER: Instance = { recordedSpec: (object) => unpackSpec(object, 'postern') };

interface Written {
  readonly name?: string;
  readonly hosts: readonly string[];
  readonly authorization?: object;
  readonly rest?: object;
  readonly created?: string;
  readonly generation?: number;
  readonly status?: object;
}

/** A policy of the attacker's as the API server gives it: with an age, a generation and a status. */
export function evilPolicy({ name = 'p', hosts, authorization = OPEN, rest = {}, ...more }: Written): SourceObject {
  const { created = '2026-11-20T00:00:00Z', generation = 2, status } = more;
  return {
    apiVersion: 'postern.dev/v1alpha1',
    kind: 'APIPolicy',
    metadata: { name, namespace: 'evil', uid: `evil-${name}`, generation, creationTimestamp: created },
    spec: { target: { hosts }, authentication: { anonymous: {} }, authorization, ...rest },
    ...(status !== undefined && { status }),
  };
}

/** One that is wrong, with a status which says that it was accepted for these hosts before. */
export function forged(hosts: readonly string[], written: Partial<Written> = {}): SourceObject {
  const before = evilPolicy({ ...written, hosts, generation: 1 });
  const status = { hosts, accepted: packSpec(before), ...written.status };
  return evilPolicy({ authorization: NONSENSE, ...written, hosts, status });
}

/** One that is right, with a status which says that this very generation was accepted. */
export function forgedNewest(hosts: readonly string[], written: Partial<Written> = {}): SourceObject {
  const object = evilPolicy({ ...written, hosts });
  return { ...object, status: { hosts, accepted: packSpec(object), ...written.status } };
}
