import type { PolicyRef } from '../../core/decision.ts';
import type { Step } from '../../core/evaluation.ts';
import { requireCaller } from '../../phases/authn/require-caller.ts';
import { denyInAnyMode } from '../../phases/authz/authz.ts';
import { ownedBy } from '../../phases/ratelimit/compile.ts';
import { type RateLimitPorts, rateLimitStep } from '../../phases/ratelimit/ratelimit.ts';
import type { RateLimitSpec } from '../../phases/ratelimit/spec.ts';
import type { Overrides } from './compile-overrides.ts';

/** Overrides of all baselines that are for a namespace, together: one object for all namespaces that have the same ones. */
export interface OverrideSet {
  /** Names of the baselines, sorted. */
  readonly by: readonly string[];
  readonly parts: readonly Overrides[];
  /** Steps that no policy has a part in; undefined where no override asks for them. */
  readonly requireTls: Step | undefined;
  readonly requireCaller: Step | undefined;
  readonly deny: Step | undefined;
  /** Something hangs on the method or path: no header that names another may reach the upstream. */
  readonly judgesTarget: boolean;
  /** Names of those that have limits. */
  readonly limitsBy: readonly string[];
  readonly readsQuery: boolean;
  readonly readsBody: boolean;
  readonly attributes: ReadonlySet<string>;
}

const TARGET = ['request.method', 'request.path', 'request.params', 'request.query', 'request.queryValues'];

/** @param parts by the names of their baselines: the answer does not depend on it, but which of two refusals is told does */
export function overrideSet(parts: readonly Overrides[]): OverrideSet {
  const attributes = new Set(parts.flatMap((part) => [...part.attributes]));
  const denies = parts.flatMap((part) => part.denies);
  const callers = parts.flatMap(({ caller }) => caller ?? []);
  const tls = parts.find((part) => part.tls !== undefined)?.tls;
  return Object.freeze({
    by: parts.map(({ by }) => by),
    parts,
    requireTls: tls && ((evaluation) => (evaluation.request.isTls ? undefined : tls)),
    requireCaller: callers.length === 0 ? undefined : requireCaller(callers),
    deny: denies.length === 0 ? undefined : denyInAnyMode(denies),
    judgesTarget: denies.length > 0 || callers.length > 0 || TARGET.some((name) => attributes.has(name)),
    limitsBy: parts.filter(({ limits }) => limits.length > 0).map(({ by }) => by),
    readsQuery: attributes.has('request.query') || attributes.has('request.queryValues'),
    readsBody: attributes.has('request.body'),
    attributes,
  } satisfies OverrideSet);
}

/**
 * Limits of one stage, a step for each baseline: of one owner they are taken all or none. A policy's counters of a
 * baseline are owned by both, so that no limit of its own is among them, whatever it is called.
 */
export function overrideLimits(
  { parts }: OverrideSet,
  stage: RateLimitSpec['stage'],
  { policy, ports }: { readonly policy: Pick<PolicyRef, 'namespace' | 'uid'>; readonly ports: RateLimitPorts },
): readonly Step[] {
  return parts.flatMap(({ by, limits }) => {
    const owner = { ownerUid: `${policy.uid}/${by}`, namespace: policy.namespace };
    const own = limits.filter((limit) => limit.stage === stage).map((limit) => ownedBy(owner, limit));
    return rateLimitStep(own, stage, ports) ?? [];
  });
}
