import type { Config } from '../config/config.ts';
import type { Clock } from '../core/clock.ts';
import type { Refusal } from '../core/decision.ts';
import { createDecisionIds } from '../core/decision-id.ts';
import type { CheckOptions } from '../extauthz/check.ts';
import { createKeySources } from '../keys/key-sources.ts';
import { type ForbiddenAddresses, OutboundClient } from '../keys/outbound.ts';
import { createTokenCache } from '../phases/authn/jwt.ts';
import type { CounterStore } from '../phases/ratelimit/counter-store.ts';
import { createRateLimitPorts } from '../phases/ratelimit/ratelimit.ts';
import { Engine } from '../policy/evaluate.ts';
import { knowledgeOf } from '../policy/knowledge.ts';
import type { PolicyStore, StoreOptions } from '../policy/store.ts';
import { type PodLabels, Workload } from '../policy/workload.ts';
import type { Log } from '../telemetry/log.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { Observer } from '../telemetry/observer.ts';
import type { Tracing } from '../telemetry/tracing.ts';

export interface CheckPartsOptions {
  readonly config: Config;
  readonly clock: Clock;
  readonly metrics: Metrics;
  readonly counters: CounterStore;
  /** Addresses that policies may never make the agent connect to. */
  readonly forbidden: ForbiddenAddresses;
  readonly labels: PodLabels | undefined;
  /** Whether this process answers checks; who only judges policies asks nobody in their name. */
  readonly hasChecks: boolean;
  /** Checks that may wait for other workers, besides those that wait for something outside. */
  readonly othersWaiting?: number;
  readonly onKeys: (result: 'ok' | 'error', url: string, why?: string) => void;
}

/** What compiles policies and what decides by them: the same in a process that does everything and in a worker. */
export interface CheckParts {
  readonly outbound: OutboundClient;
  /** All of a store's options that the configuration decides. */
  readonly storeOptions: Omit<StoreOptions, 'secrets' | 'onBuild' | 'onFailure'>;
  /** What a door asks, of whatever dialect. */
  checks(store: Pick<PolicyStore, 'current'>, seen: Seen): CheckOptions;
}

interface Seen {
  readonly log: Log;
  readonly tracing: Tracing;
  readonly notNow: (() => Refusal | undefined) | undefined;
}

/** Checks that may wait for something outside at the same time. */
const MAX_WAITING = 1000;

export function createCheckParts(options: CheckPartsOptions): CheckParts {
  const { config, clock, metrics, counters, labels, othersWaiting = 0 } = options;
  const outbound = new OutboundClient({
    isRelaxed: config.outbound.isOpen,
    allowed: config.outbound.allow.list,
    forbidden: options.forbidden,
  });
  const tokens = createTokenCache();
  const keySources = createKeySources({
    client: outbound,
    clock,
    random: Math.random,
    observe: options.onKeys,
    prefetch: options.hasChecks,
  });
  metrics.read('postern_keys_age_seconds', () => {
    const ageMs = keySources.oldestMs;
    return ageMs === undefined ? undefined : ageMs / 1000;
  });
  metrics.read('postern_token_cache_entries', () => tokens.size);
  const { clusterIssuer, className, hostGrants, namespaceBudget, objectBudget, edge } = config;
  return {
    outbound,
    storeOptions: {
      ports: {
        keySources,
        tokens,
        limits: createRateLimitPorts(counters),
        knows: knowledgeOf(edge),
        workload: config.sidecar && new Workload(labels),
      },
      clusterIssuer,
      className,
      hostGrants,
      namespaceBudget,
      objectBudget,
      hasNamespaces: config.source.kind === 'kube',
      hasEveryNamespace: config.source.kind === 'kube' && config.source.namespaces.length === 0,
      clock,
    },
    checks(store, { log, tracing, notNow }) {
      const engine = new Engine(() => store.current, {
        edge,
        unmatched: config.unmatched,
        routeMetadata: config.routeMetadata,
        sidecar: config.sidecar?.kind,
        checkTimeoutMs: config.checkTimeoutMs,
        clock,
        newDecisionId: createDecisionIds(),
      });
      const observer = new Observer({ metrics, log, tracing, clock, random: Math.random });
      return { engine, observer, maxWaiting: MAX_WAITING + othersWaiting, ...(notNow && { notNow }) };
    },
  };
}
