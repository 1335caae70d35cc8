import type { z } from 'zod';
import { apiBaselineSpec } from './api-baseline.ts';
import { apiConsumerSpec } from './api-consumer.ts';
import { apiPolicySpec } from './api-policy.ts';
import { apiRoleBindingSpec, apiRoleSpec } from './api-role.ts';
import { hostGrantSpec } from './host-grant.ts';

export const GROUP = 'postern.dev';
export const VERSION = 'v1alpha1';
export const API_VERSION = `${GROUP}/${VERSION}`;

/** One kind of resource: its names, and the one schema that types, CRD, files and docs come from. */
export interface Kind {
  readonly kind: string;
  readonly plural: string;
  readonly shortName: string;
  readonly scope: 'Namespaced' | 'Cluster';
  readonly doc: string;
  readonly spec: z.ZodObject;
  /** Fields below spec that may not change once set, as JSON paths for CEL. */
  readonly immutable: readonly string[];
  /** `status.conditions` for the kind that one instance owns, `status.instances` for the shared ones. */
  readonly status: 'conditions' | 'instances';
  /** Columns of `kubectl get`; those of priority 1 only with `-o wide`. */
  readonly columns: readonly Column[];
}

interface Column {
  readonly name: string;
  readonly jsonPath: string;
  /** Of what it shows; `string` unless given. */
  readonly type?: 'date';
  readonly priority?: number;
}

/**
 * A column shows one value, the first that its path finds, and each class has conditions of its own: so what is False of
 * any of them is looked for, and not what the first class says.
 */
const SAID_BY_INSTANCES = [
  {
    name: 'Answered',
    type: 'date',
    jsonPath: '.status.instances[*].conditions[?(@.type=="Accepted")].lastTransitionTime',
  },
  { name: 'Problem', jsonPath: '.status.instances[*].conditions[?(@.status=="False")].reason' },
] as const;

export const KINDS = Object.freeze({
  APIPolicy: {
    kind: 'APIPolicy',
    plural: 'apipolicies',
    shortName: 'apol',
    scope: 'Namespaced',
    doc: 'What governs one API: its target, authentication, authorization and rate limits.',
    spec: apiPolicySpec,
    immutable: ['className'],
    status: 'conditions',
    columns: [
      { name: 'Class', jsonPath: '.spec.className' },
      { name: 'Hosts', jsonPath: '.spec.target.hosts', priority: 1 },
      { name: 'Mode', jsonPath: '.spec.mode' },
      { name: 'Accepted', jsonPath: '.status.conditions[?(@.type=="Accepted")].status' },
      { name: 'Resolved', jsonPath: '.status.conditions[?(@.type=="ResolvedRefs")].status' },
      { name: 'Programmed', jsonPath: '.status.conditions[?(@.type=="Programmed")].status' },
      { name: 'Reason', jsonPath: '.status.conditions[?(@.type=="Accepted")].reason', priority: 1 },
    ],
  },
  APIConsumer: {
    kind: 'APIConsumer',
    plural: 'apiconsumers',
    shortName: 'acon',
    scope: 'Namespaced',
    doc: 'A known client: its keys and groups.',
    spec: apiConsumerSpec,
    immutable: [],
    status: 'instances',
    columns: SAID_BY_INSTANCES,
  },
  APIRole: {
    kind: 'APIRole',
    plural: 'apiroles',
    shortName: 'arole',
    scope: 'Namespaced',
    doc: 'Permissions: policies, methods and paths.',
    spec: apiRoleSpec,
    immutable: [],
    status: 'instances',
    columns: SAID_BY_INSTANCES,
  },
  APIRoleBinding: {
    kind: 'APIRoleBinding',
    plural: 'apirolebindings',
    shortName: 'arb',
    scope: 'Namespaced',
    doc: 'Who holds a role.',
    spec: apiRoleBindingSpec,
    immutable: ['roleRef'],
    status: 'instances',
    columns: [{ name: 'Role', jsonPath: '.spec.roleRef.name' }, ...SAID_BY_INSTANCES],
  },
  HostGrant: {
    kind: 'HostGrant',
    plural: 'hostgrants',
    shortName: 'hgrant',
    scope: 'Cluster',
    doc: 'Which namespaces may claim which hosts and paths.',
    spec: hostGrantSpec,
    immutable: [],
    status: 'instances',
    columns: [{ name: 'Hosts', jsonPath: '.spec.hosts' }, ...SAID_BY_INSTANCES],
  },
  APIBaseline: {
    kind: 'APIBaseline',
    plural: 'apibaselines',
    shortName: 'abase',
    scope: 'Cluster',
    doc: 'What a platform gives all policies by default, and what it holds them to.',
    spec: apiBaselineSpec,
    immutable: [],
    status: 'instances',
    columns: [{ name: 'Precedence', jsonPath: '.spec.precedence' }, ...SAID_BY_INSTANCES],
  },
} as const satisfies Record<string, Kind>);

export type KindName = keyof typeof KINDS;

/** Whether objects of the kind are of no namespace. */
export const isClusterScoped = (kind: string): boolean =>
  Object.hasOwn(KINDS, kind) && KINDS[kind as KindName].scope === 'Cluster';
