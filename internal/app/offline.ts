import { BlockList } from 'node:net';
import { inOneGo } from '../core/breather.ts';
import type { EdgeOptions } from '../core/canonicalize.ts';
import type { Clock } from '../core/clock.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import { MemoryStore } from '../counters/memory-store.ts';
import { locateProblems } from '../files/locate-problems.ts';
import { type FileObject, identityOf, type LocatedProblem } from '../files/parse-file.ts';
import { createKeySources } from '../keys/key-sources.ts';
import { NOTHING_FORBIDDEN, OutboundClient } from '../keys/outbound.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { Engine } from '../policy/evaluate.ts';
import { ALL_KNOWN } from '../policy/knowledge.ts';
import { secretLookup } from '../policy/offered-secret.ts';
import { type Build, PolicyStore } from '../policy/store.ts';
import { type PodLabels, Workload } from '../policy/workload.ts';
import { sidecarSecrets } from './sidecar-secrets.ts';
import { withUnknownLabels } from './unknown-labels.ts';

/** The policies of one class, compiled once, without any server. */
export interface Offline {
  readonly engine: Engine;
  /** What is wrong with the objects; what is wrong with their files is the content's. */
  readonly problems: readonly LocatedProblem[];
  /** What kept keys of issuers from being fetched until now, a sentence each. */
  readonly keyTroubles: readonly string[];
  close(): Promise<void>;
}

export interface OfflineOptions {
  readonly objects: readonly FileObject[];
  readonly className: string;
  readonly edge: EdgeOptions;
  readonly clock: Clock;
  /** As on an instance of one owner, issuers may be on http and at private addresses. */
  readonly isOpen: boolean;
  /** Of a sidecar class, whose policies select Pods. */
  readonly isSidecarClass?: boolean;
  /** Of the Pod whose sidecar decides; without them policies of a sidecar class are judged, and none is selected. */
  readonly podLabels?: PodLabels | undefined;
  /** Who may claim a host; absent: whom a HostGrant names, if there is one among the objects, else who comes first. */
  readonly hostGrants?: HostGrantsRule | undefined;
}

export type HostGrantsRule = 'required' | 'first-come';

/** Compiles what files hold, as an instance of this class would. */
export async function loadOffline(options: OfflineOptions): Promise<Offline> {
  const { objects: found, className, edge, clock, isOpen, isSidecarClass = false, podLabels } = options;
  const objects = new Map(found.map((file) => [identityOf(file), file]));
  const outbound = new OutboundClient({ isRelaxed: isOpen, allowed: new BlockList(), forbidden: NOTHING_FORBIDDEN });
  const keyTroubles: string[] = [];
  const { promise, resolve, reject } = Promise.withResolvers<Build>();
  const store = new PolicyStore({
    ports: {
      keySources: createKeySources({
        client: outbound,
        clock,
        random: Math.random,
        observe(result, url, why) {
          if (result === 'error')
            keyTroubles.push(`The keys of "${url}" could not be fetched: ${why ?? 'nobody knows why'}`);
        },
      }),
      tokens: createTokenCache(),
      limits: createRateLimitPorts(new MemoryStore({ maxKeys: 1_000_000, onEvict: () => undefined })),
      knows: ALL_KNOWN,
      workload: isSidecarClass ? new Workload(podLabels) : undefined,
    },
    clusterIssuer: undefined,
    className,
    hostGrants: hostGrantsOf(options),
    secrets: (namespace) =>
      isSidecarClass
        ? sidecarSecrets
        : secretLookup((name) => objects.get(`Secret/${namespace}/${name}`)?.object ?? 'absent'),
    clock,
    onBuild: resolve,
    onFailure: reject,
  });
  for (const { object } of found) store.apply(object);
  store.complete();
  const { reports } = await promise;
  const problems = inOneGo(locateProblems(withUnknownLabels(reports, found), objects));
  const engine = new Engine(() => store.current, {
    edge,
    unmatched: 'deny',
    routeMetadata: 'optional',
    ...(podLabels !== undefined && { sidecar: 'agent' }),
    checkTimeoutMs: 10_000,
    clock,
    newDecisionId: createDecisionIds(),
  });
  return { engine, problems, keyTroubles, close: () => outbound.close() };
}

/** Policies of sidecars claim no hosts. */
function hostGrantsOf({ objects, isSidecarClass, hostGrants }: OfflineOptions): HostGrantsRule {
  if (isSidecarClass === true) return 'first-come';
  return hostGrants ?? (objects.some(({ object }) => object.kind === 'HostGrant') ? 'required' : 'first-come');
}
