import assert from 'node:assert/strict';
import type { EdgeOptions } from '../../internal/core/canonicalize.ts';
import { type Clock, systemClock } from '../../internal/core/clock.ts';
import type { NamespaceView } from '../../internal/core/evaluation.ts';
import { MemoryStore } from '../../internal/counters/memory-store.ts';
import { type CheckOptions, createCheckBytes, type Decider, type DoorCall } from '../../internal/extauthz/check.ts';
import { createHttpChecks } from '../../internal/extauthz/http/http-check.ts';
import type { HttpMessage } from '../../internal/extauthz/http/http-message.ts';
import { TRAEFIK } from '../../internal/extauthz/http/traefik-dialect.ts';
import type { HttpAnswer } from '../../internal/extauthz/http/write-answer.ts';
import { parseFile } from '../../internal/files/parse-file.ts';
import { PathTable } from '../../internal/match/path-table.ts';
import { createTokenCache, type TokenCache } from '../../internal/phases/authn/jwt.ts';
import type { KeySource, KeySources } from '../../internal/phases/authn/key-source.ts';
import { aSigner, aToken, keySet } from '../../internal/phases/authn/token.fixture.ts';
import type { CounterStore } from '../../internal/phases/ratelimit/counter-store.ts';
import { createRateLimitPorts } from '../../internal/phases/ratelimit/ratelimit.ts';
import type { CompiledPolicy, Served } from '../../internal/policy/compiled-policy.ts';
import { Engine } from '../../internal/policy/evaluate.ts';
import { HostTable } from '../../internal/policy/host-table.ts';
import { knowledgeOf } from '../../internal/policy/knowledge.ts';
import { secretLookup } from '../../internal/policy/offered-secret.ts';
import type { Snapshot } from '../../internal/policy/snapshot.ts';
import { type Build, PolicyStore } from '../../internal/policy/store.ts';
import { NO_SPAN } from '../../internal/telemetry/tracing.ts';
import { encodeCheck } from '../door/client.ts';

const KEY = 'a key that is long enough';
const ISSUER = 'https://sso.example.org';
/** Signs the tokens of these checks; its public half is what key sources give. */
export const SIGNER = aSigner('EdDSA');
export const KEYS = keySet(SIGNER.key);

const limit = (name: string, stage: string, rest = ''): string =>
  `{name: ${name}, stage: ${stage}, onFault: Deny, key: [{expression: request.method}], rates: [{requests: 1000, window: 1h}]${rest}}`;

/** One policy with every kind of step that there is. */
const POLICY = `
apiVersion: postern.dev/v1alpha1
kind: APIPolicy
metadata: {name: api, uid: u}
spec:
  target: {hosts: [api.example.org]}
  transport: {requireTLS: true}
  authentication:
    methods:
      - {name: keys, apiKey: {from: [{header: x-api-key}, {query: api_key}]}}
      - {name: tokens, jwt: {issuer: "${ISSUER}", audiences: [orders], jwks: {url: "${ISSUER}/keys"}}}
  authorization:
    rules:
      - {name: consumers, allow: {roles: [caller], paths: ["/**"]}}
      - {name: people, allow: {when: [{expression: "identity.kind == 'jwt'"}]}}
      - {name: outcasts, deny: {roles: [outcast]}}
      - {name: deleters, deny: {when: [{expression: "request.method == 'DELETE'"}]}}
  rateLimits:
    - ${limit('early', 'BeforeAuthentication', ', cost: {expression: "1"}')}
    - ${limit('guesses', 'AuthenticationFailure')}
    - ${limit('late', 'AfterAuthentication')}
    - ${limit('tried', 'AfterAuthentication', ', mode: Audit')}
  validation: {limits: {url: 8Ki}}
  response: {upstreamHeaders: [{name: x-caller, value: {expression: identity.kind}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIConsumer
metadata: {name: acme}
spec: {keys: [{name: k, sha256: ${await digestOf(KEY)}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: caller}
spec: {permissions: [{name: all, allPolicies: {}, paths: ["/**"]}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRole
metadata: {name: outcast}
spec: {permissions: [{name: none, allPolicies: {}}]}
---
apiVersion: postern.dev/v1alpha1
kind: APIRoleBinding
metadata: {name: acme-calls}
spec: {roleRef: {name: caller}, subjects: [{consumer: {name: acme}}]}
`;

async function digestOf(key: string): Promise<string> {
  return Buffer.from(await crypto.subtle.digest('SHA-256', Buffer.from(key))).toString('hex');
}

/** Every port that a fault can be put into; what is not given works. */
export interface Parts {
  readonly checkTimeoutMs?: number;
  readonly maxWaiting?: number;
  readonly notNow?: NonNullable<CheckOptions['notNow']>;
  readonly clock?: Clock;
  readonly newDecisionId?: () => string;
  readonly store?: CounterStore;
  /** Where counters live when `store` fails; the same store unless given. */
  readonly localStore?: CounterStore;
  readonly keys?: KeySource;
  /** In place of `keys`: how the policy gets at them. */
  readonly keySources?: KeySources;
  readonly tokens?: TokenCache;
  readonly observer?: CheckOptions['observer'];
  readonly call?: Partial<DoorCall>;
  /** Changes of what was compiled: for evaluators that no argument leads to. */
  readonly policy?: (policy: CompiledPolicy) => CompiledPolicy;
  readonly namespace?: (view: NamespaceView) => NamespaceView;
  readonly snapshot?: (snapshot: Snapshot) => Snapshot | undefined;
  readonly engine?: (engine: Decider) => Decider;
  readonly edit?: (policies: string) => string;
}

/** Checks to ask: `key` and `token` are allowed while nothing fails, `wrong` never is. */
export type Asked = 'key' | 'token' | 'other token' | 'wrong';

export interface World {
  readonly check: ReturnType<typeof createCheckBytes>;
  /** Bytes of a check, new ones each time. */
  bytes(asked: Asked): Buffer;
  /** Bytes of the answer. */
  ask(asked: Asked): Promise<Uint8Array>;
  /** What the HTTP door is given to ask. */
  readonly options: CheckOptions;
  /** The same over HTTP, in the dialect that passes every status on. */
  askHttp(asked: Asked): Promise<HttpAnswer>;
}

const EDGE: EdgeOptions = {
  clientAddress: { kind: 'direct' },
  bodiesForwarded: false,
  transportTls: true,
  trustContextExtensions: true,
};

const WORKING_KEYS: KeySource = { current: () => KEYS, fetch: () => Promise.resolve(KEYS) };

/** What the agent wires, from the bytes of a check to those of its answer, with ports of the caller's choice. */
export async function aWorld(parts: Parts = {}): Promise<World> {
  const clock = parts.clock ?? systemClock;
  const store = parts.store ?? new MemoryStore({ maxKeys: 1000, onEvict: () => undefined });
  const keys = parts.keys ?? WORKING_KEYS;
  const source = (): KeySource => keys;
  const tokens = parts.tokens ?? createTokenCache();
  const limits = createRateLimitPorts(parts.localStore ?? store, store);
  const keySources = parts.keySources ?? { byUrl: source, byDiscovery: source, inline: source };
  const ports = { keySources, tokens, limits };
  const served = withChanges(await load(parts.edit?.(POLICY) ?? POLICY, ports), parts);
  const engine = new Engine(() => (parts.snapshot === undefined ? served : parts.snapshot(served)), {
    edge: EDGE,
    unmatched: 'deny',
    routeMetadata: 'optional',
    checkTimeoutMs: parts.checkTimeoutMs ?? 5000,
    clock,
    newDecisionId: parts.newDecisionId ?? (() => 'decision'),
  });
  const options: CheckOptions = {
    engine: parts.engine?.(engine) ?? engine,
    observer: parts.observer ?? { begin: () => ({ span: NO_SPAN, startMs: 0 }), finish: () => undefined },
    maxWaiting: parts.maxWaiting ?? 10,
    ...(parts.notNow !== undefined && { notNow: parts.notNow }),
    clock,
    ...(parts.newDecisionId !== undefined && { newDecisionId: parts.newDecisionId }),
  };
  const check = createCheckBytes(options);
  const call: DoorCall = { deadlineMs: undefined, isCancelled: () => false, metadata: undefined, ...parts.call };
  const bytes = (asked: Asked): Buffer => encodeCheck({ ...TARGET, headers: HEADERS[asked]() });
  return {
    check,
    bytes,
    ask: async (asked) => check(bytes(asked), call),
    options,
    async askHttp(asked) {
      const checkHttp = createHttpChecks(options, CARRIED).get(TRAEFIK) ?? assert.fail();
      return checkHttp(messageOf(asked), call);
    },
  };
}

type Ports = Pick<ConstructorParameters<typeof PolicyStore>[0]['ports'], 'keySources' | 'tokens' | 'limits'>;

async function load(policies: string, ports: Ports): Promise<Snapshot> {
  const told = Promise.withResolvers<Build>();
  const store = new PolicyStore({
    ports: { ...ports, knows: knowledgeOf(EDGE) },
    clusterIssuer: undefined,
    className: 'postern',
    secrets: () => secretLookup(() => 'absent'),
    clock: systemClock,
    onBuild: (build) => told.resolve(build),
    onFailure: (error) => told.reject(error),
  });
  for (const { object } of parseFile('faults.yaml', policies).objects) store.apply(object);
  store.complete();
  const { snapshot, reports } = await told.promise;
  const problems = reports.flatMap((report) => report.problems);
  if (problems.length > 0) throw new Error(problems.map(({ path, message }) => `${path}: ${message}`).join('; '));
  return snapshot;
}

function withChanges(snapshot: Snapshot, parts: Parts): Snapshot {
  const compiled = snapshot.named.get('default/api')?.policy;
  const view = snapshot.namespaces.get('default');
  if (compiled === undefined || view === undefined) throw new Error('The policy of these tests does not compile');
  const policy = parts.policy?.(compiled) ?? compiled;
  const table = new PathTable<Served>({ caseInsensitive: false });
  for (const template of policy.target.templates)
    table.add({ template, value: { namespace: 'default', name: 'api', isAudit: false, policy } });
  const { target, edits } = policy;
  const { pathOptions } = target;
  const ground = { isAudit: false, pathOptions, own: edits.own, ownBy: undefined, table };
  const hosts = new HostTable();
  hosts.add('api.example.org', { ...ground, namespace: 'default', grounds: undefined });
  const namespaces = new Map([['default', parts.namespace?.(view) ?? view]]);
  return { ...snapshot, hosts, namespaces };
}

const TARGET = { host: 'api.example.org', path: '/v1/orders' };
/** What the policy sets and removes. */
const CARRIED: ReadonlySet<string> = new Set(['x-caller', 'x-api-key', 'authorization']);

/** The lines by which Traefik asks the same. */
export const messageOf = (asked: Asked): HttpMessage => ({
  method: 'GET',
  target: TRAEFIK.path,
  lines: [
    ['x-forwarded-method', 'GET'],
    ['x-forwarded-uri', TARGET.path],
    ['x-forwarded-host', TARGET.host],
    ['x-forwarded-proto', 'http'],
    ['x-forwarded-for', '192.0.2.1'],
    ...Object.entries(HEADERS[asked]()),
  ],
  body: undefined,
  timeMs: systemClock.wallMs(),
});

function token(kid: string): string {
  const nowS = Math.floor(systemClock.wallMs() / 1000);
  const payload = { iss: ISSUER, aud: 'orders', sub: 'ann', iat: nowS - 60, exp: nowS + 600 };
  return aToken(SIGNER, payload, { alg: 'EdDSA', kid });
}

const HEADERS: Readonly<Record<Asked, () => Readonly<Record<string, string>>>> = {
  key: () => ({ 'x-api-key': KEY }),
  token: () => ({ authorization: `Bearer ${token('k1')}` }),
  // Signed all the same, but by a key of a name that nobody has published.
  'other token': () => ({ authorization: `Bearer ${token('k9')}` }),
  wrong: () => ({ 'x-api-key': 'a key that nobody holds' }),
};
