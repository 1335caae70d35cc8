import { type Attributes, headerFields } from '../core/attributes.ts';
import { canonicalize } from '../core/canonicalize.ts';
import type { Decision, PolicyRef } from '../core/decision.ts';
import { Evaluation, type NamespaceView } from '../core/evaluation.ts';
import { REASONS, type ReasonName } from '../core/reasons.ts';
import type { Checked } from '../policy/checked.ts';

/** What tests of this folder watch: a check as the engine hands it on. */
export const ORDERS: PolicyRef = Object.freeze({ namespace: 'shop', name: 'orders', uid: 'u1', generation: 3 });

const NAMESPACE: NamespaceView = {
  consumers: { find: () => 'unknown' },
  roles: { rolesOf: () => [], permits: () => false, isHeldForDeny: () => true },
};

export function anAttributes(fields: Partial<Attributes>): Attributes {
  const peer = { address: '203.0.113.9', principal: '', certificate: '' };
  return {
    id: '4711',
    method: 'GET',
    scheme: 'https',
    host: 'orders.example.org',
    target: '/v1/orders',
    protocol: 'HTTP/1.1',
    headers: headerFields([]),
    timeMs: 0,
    size: -1,
    body: undefined,
    source: peer,
    contextExtensions: new Map(),
    metadata: () => ({}),
    routeMetadata: () => undefined,
    tlsSession: undefined,
    ...fields,
  };
}

const EDGE = {
  clientAddress: { kind: 'direct' },
  bodiesForwarded: false,
  transportTls: false,
  trustContextExtensions: false,
} as const;

export function aChecked(reason: ReasonName, attributes: Attributes, fields: Partial<Decision> = {}): Checked {
  const { request } = canonicalize(attributes, EDGE);
  const decision: Decision = {
    outcome: REASONS[reason].kind,
    reason,
    decisionId: 'decision-1',
    policy: ORDERS,
    refusal: undefined,
    findings: [],
    edits: { requestHeaders: [], requestHeadersToRemove: [], queryToRemove: [], responseHeaders: [] },
    answerHeaders: [],
    isGrpc: false,
    ...fields,
  };
  const evaluation =
    request &&
    new Evaluation({
      request,
      policy: ORDERS,
      mode: 'Enforce',
      namespace: NAMESPACE,
      wallMs: 0,
      monotonicMs: 0,
      deadlineMs: 1,
      params: new Map(),
      otherParams: [],
    });
  return { decision, request, policy: undefined, evaluation };
}

/** Policies as a snapshot that serves them names them. */
export const loadedOf = (policies: readonly PolicyRef[]): ReadonlySet<string> =>
  new Set(policies.map(({ namespace, name }) => `${namespace}/${name}`));
