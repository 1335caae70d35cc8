import { BlockList } from 'node:net';
import { type Attributes, headerFields } from '../../internal/core/attributes.ts';
import type { ClientAddressSource } from '../../internal/core/client-address.ts';
import type { Clock } from '../../internal/core/clock.ts';
import { MemoryStore } from '../../internal/counters/memory-store.ts';
import { parseFile } from '../../internal/files/parse-file.ts';
import { createKeySources } from '../../internal/keys/key-sources.ts';
import { NOTHING_FORBIDDEN, OutboundClient } from '../../internal/keys/outbound.ts';
import { createTokenCache } from '../../internal/phases/authn/jwt.ts';
import { createRateLimitPorts } from '../../internal/phases/ratelimit/ratelimit.ts';
import type { Checked } from '../../internal/policy/checked.ts';
import { Engine } from '../../internal/policy/evaluate.ts';
import { knowledgeOf } from '../../internal/policy/knowledge.ts';
import { objectKey, type SourceObject } from '../../internal/policy/object.ts';
import { secretLookup } from '../../internal/policy/offered-secret.ts';
import type { RecordedSpec } from '../../internal/policy/recorded-spec.ts';
import { type Build, PolicyStore } from '../../internal/policy/store.ts';
import { Workload } from '../../internal/policy/workload.ts';

/** What an instance of a case is started with; the defaults are those of a standalone one. */
export interface Instance {
  /** What an object carries of the last spec that was accepted, where objects come from a cluster. */
  readonly recordedSpec?: (object: SourceObject) => RecordedSpec | undefined;
  readonly clientAddress?: 'unset' | 'direct' | `hops=${number}`;
  /** Its objects are all there only with the first change that is applied. */
  readonly isStarted?: boolean;
  readonly bodies?: 'forwarded';
  readonly transport?: 'tls';
  readonly trustContextExtensions?: boolean;
  readonly unmatched?: 'allow' | 'deny';
  readonly hostGrants?: 'required' | 'first-come';
  /** Most policies of a namespace, and most bytes that they take compiled. */
  readonly namespaceBudget?: { readonly policies: number; readonly bytes: number };
  /** Most consumers, roles and bindings of a namespace, and most bytes that they take compiled. */
  readonly objectBudget?: { readonly objects: number; readonly bytes: number };
  /** Most keys of limits. */
  readonly maxLimitKeys?: number;
  /** Namespaces come as objects, as in a cluster: one that has none has unknown labels. */
  readonly hasNamespaces?: boolean;
  readonly routeMetadata?: 'optional' | 'required';
  readonly clusterIssuer?: string;
  /** Of a sidecar class: a sidecar with its Pod's labels, or the one that only judges policies. */
  readonly sidecar?: 'class' | { readonly labels: Readonly<Record<string, string>> };
}

/** A request as cases write it. */
export interface CaseRequest {
  readonly method?: string;
  readonly host?: string;
  readonly path?: string;
  readonly headers?: Readonly<Record<string, string | readonly string[]>>;
  readonly joined?: boolean;
  readonly client?: string;
  readonly principal?: string;
  readonly context?: Readonly<Record<string, string>>;
  readonly routes?: readonly object[];
  readonly metadata?: Readonly<Record<string, unknown>>;
  readonly body?: string;
  readonly bodyMark?: string;
  readonly tls?: boolean;
  readonly id?: string;
}

/** A clock that moves only when a test says so. */
export class TestClock implements Clock {
  nowMs = Date.UTC(2026, 10, 24, 12, 0, 0);
  wallMs(): number {
    return this.nowMs;
  }
  monotonicMs(): number {
    return this.nowMs;
  }
}

export interface Loaded {
  readonly engine: Engine;
  readonly store: PolicyStore;
  readonly build: Build;
  readonly clock: TestClock;
  /** The build that serves. */
  newest(): Build;
  apply(yaml: string): Promise<Build>;
  /** Changes the labels of the sidecar's Pod. */
  relabel(labels: Readonly<Record<string, string>>): Promise<Build>;
  /** Takes objects away, `Kind/namespace/name` or `Kind/name` each. */
  remove(names: readonly string[]): Promise<Build>;
  check(request: CaseRequest): Promise<Checked>;
}

function clientAddress(text: Instance['clientAddress']): ClientAddressSource {
  if (text === undefined || text === 'direct') return { kind: 'direct' };
  return text === 'unset' ? { kind: 'unset' } : { kind: 'hops', hops: Number(text.slice(5)) };
}

let serial = 0;
const NOT_BUILT = { reports: [] } as unknown as Build;

/** Loads objects into the engine that serves, with a clock of its own. */
export async function load(yaml: string, instance: Instance = {}): Promise<Loaded> {
  const clock = new TestClock();
  let told = Promise.withResolvers<Build>();
  let newest: Build | undefined;
  const secrets = new Map<string, ReturnType<typeof parseFile>['objects'][number]['object']>();
  const outbound = new OutboundClient({ isRelaxed: true, allowed: new BlockList(), forbidden: NOTHING_FORBIDDEN });
  const edge = {
    clientAddress: clientAddress(instance.clientAddress),
    bodiesForwarded: instance.bodies === 'forwarded',
    transportTls: instance.transport === 'tls',
    trustContextExtensions: instance.trustContextExtensions ?? false,
  };
  const { sidecar } = instance;
  const labels = typeof sidecar === 'object' ? new Map(Object.entries(sidecar.labels)) : undefined;
  const store = new PolicyStore({
    ports: {
      keySources: createKeySources({ client: outbound, clock, random: () => 0.5, observe: () => undefined }),
      tokens: createTokenCache(),
      limits: createRateLimitPorts(
        new MemoryStore({ maxKeys: instance.maxLimitKeys ?? 10_000, onEvict: () => undefined }),
      ),
      knows: knowledgeOf(edge),
      workload: sidecar && new Workload(labels),
    },
    clusterIssuer: instance.clusterIssuer,
    className: 'postern',
    hostGrants: instance.hostGrants ?? 'first-come',
    namespaceBudget: instance.namespaceBudget,
    objectBudget: instance.objectBudget,
    hasNamespaces: instance.hasNamespaces ?? false,
    secrets: (namespace) => secretLookup((name) => secrets.get(`${namespace}/${name}`) ?? 'absent'),
    ...(instance.recordedSpec && { recordedSpec: instance.recordedSpec }),
    clock: { wallMs: () => clock.wallMs(), monotonicMs: () => performance.now() },
    onBuild: (build) => {
      newest = build;
      told.resolve(build);
    },
    onFailure: (error) => told.reject(error),
  });
  const engine = new Engine(() => store.current, {
    edge,
    unmatched: instance.unmatched ?? 'deny',
    routeMetadata: instance.routeMetadata ?? 'optional',
    sidecar: typeof sidecar === 'object' ? 'agent' : sidecar,
    checkTimeoutMs: 60_000,
    clock,
    newDecisionId: () => 'decision',
  });
  const apply = async (text: string): Promise<Build> => {
    told = Promise.withResolvers<Build>();
    const { objects, problems } = parseFile('case.yaml', text);
    if (problems.length > 0)
      throw new Error(problems.map((problem) => `${problem.path}: ${problem.message}`).join('; '));
    for (const { object } of objects) {
      // What an edit changes is the same object in a newer generation.
      serial += 1;
      const newer = { ...object, metadata: { ...object.metadata, generation: serial } };
      if (object.kind !== 'Secret') store.apply(newer);
      else {
        secrets.set(objectKey(object.metadata), newer);
        store.secretChanged(object.metadata.namespace);
      }
    }
    store.complete();
    return settled();
  };
  /** What one build frees the next one gives: the last of them is what the change came to. */
  const settled = async (): Promise<Build> => {
    let seen = await told.promise;
    for (;;) {
      await store.caughtUp();
      if (newest === undefined || newest === seen) return seen;
      seen = newest;
    }
  };
  const remove = async (names: readonly string[]): Promise<Build> => {
    told = Promise.withResolvers<Build>();
    for (const full of names) {
      const [kind = '', ...rest] = full.split('/');
      store.delete(kind, { namespace: rest.length > 1 ? (rest[0] ?? '') : '', name: rest.at(-1) ?? '' });
    }
    return settled();
  };
  const build = instance.isStarted === false ? NOT_BUILT : await apply(yaml);
  const call = {
    deadlineMs: undefined,
    isCancelled: () => false,
    trace: { startPhase: () => undefined, endPhase: () => undefined },
  };
  return {
    engine,
    store,
    build,
    clock,
    newest: () => newest ?? build,
    apply,
    relabel(next) {
      told = Promise.withResolvers<Build>();
      store.relabel(new Map(Object.entries(next)));
      return told.promise;
    },
    remove,
    check: async (request) => engine.check(attributesOf(request, clock), call),
  };
}

export function attributesOf(request: CaseRequest, clock: Clock): Attributes {
  serial += 1;
  const fields = Object.entries(request.headers ?? {}).flatMap(([name, values]) =>
    [values].flat().map((value) => [name, value] as const),
  );
  const marked =
    request.bodyMark === undefined ? fields : [...fields, ['x-envoy-auth-partial-body', request.bodyMark] as const];
  const peer = { address: request.client ?? '192.0.2.1', principal: request.principal ?? '', certificate: '' };
  const metadata = request.metadata ?? {};
  return {
    id: request.id ?? String(serial),
    method: request.method ?? 'GET',
    scheme: 'http',
    host: request.host ?? 'api.example.org',
    target: request.path ?? '/',
    protocol: 'HTTP/1.1',
    headers: headerFields(marked, request.joined ?? false),
    timeMs: clock.wallMs(),
    size: request.body === undefined ? 0 : Buffer.byteLength(request.body),
    body: request.body,
    source: peer,
    contextExtensions: new Map(Object.entries(request.context ?? {})),
    metadata: () => metadata,
    routeMetadata: () =>
      request.routes === undefined ? undefined : { 'envoy-gateway': { resources: request.routes } },
    tlsSession: { sni: request.tls === true ? 'api.example.org' : '' },
  };
}
