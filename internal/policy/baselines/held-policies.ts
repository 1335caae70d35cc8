import type { Step } from '../../core/evaluation.ts';
import type { RateLimitPorts } from '../../phases/ratelimit/ratelimit.ts';
import { type CompiledPolicy, STRICT, type Target } from '../compiled-policy.ts';
import { compileEdits, withoutKeptOverrides } from '../edit-plan.ts';
import type { ObjectMeta } from '../object.ts';
import { heldSteps } from '../phases.ts';
import type { OverrideSet } from './override-set.ts';

/** What one policy became, by the overrides that hold it. */
type ByOverrides = WeakMap<OverrideSet, CompiledPolicy>;

interface StandIn {
  readonly generation: number;
  readonly bound: ByOverrides;
}

/**
 * Policies as their namespaces' overrides hold them. What a policy is made of stays as it was compiled: a change of a
 * baseline puts other steps beside its own, whether it serves its newest spec, the last good one or a recorded one.
 */
export class HeldPolicies {
  readonly #ports: RateLimitPorts;
  /** By what is held: limits remember what checks took, so one that is held as before is the same one. */
  readonly #bound = new WeakMap<CompiledPolicy, ByOverrides>();
  /** By uid: a status that is written makes another object of the same policy. */
  readonly #standIns = new Map<string, StandIn>();

  constructor(ports: RateLimitPorts) {
    this.#ports = ports;
  }

  hold(policy: CompiledPolicy, overrides: OverrideSet | undefined): CompiledPolicy {
    if (overrides === undefined) return policy;
    const bound = this.#bound.get(policy) ?? new WeakMap();
    this.#bound.set(policy, bound);
    return once(bound, overrides, () => this.#held(policy, overrides));
  }

  /** Overrides alone, for a policy in Audit that was never accepted; undefined where nothing holds what it passes. */
  standIn(meta: ObjectMeta, overrides: OverrideSet | undefined): CompiledPolicy | undefined {
    if (overrides === undefined) return undefined;
    const { namespace, name, uid, generation } = meta;
    const known = this.#standIns.get(uid);
    const standIn = known?.generation === generation ? known : { generation, bound: new WeakMap() };
    this.#standIns.set(uid, standIn);
    return once(standIn.bound, overrides, () => {
      const ref = Object.freeze({ namespace, name, uid, generation });
      const held = this.#held({ ...NOBODYS, ref }, overrides);
      return Object.freeze({ ...held, held: Object.freeze({ ...held.held, isStandIn: true }) } as CompiledPolicy);
    });
  }

  /** Forgets what stood in for policies that are gone. */
  keepOnly(uids: ReadonlySet<string>): void {
    for (const uid of this.#standIns.keys()) if (!uids.has(uid)) this.#standIns.delete(uid);
  }

  #held(policy: CompiledPolicy, overrides: OverrideSet): CompiledPolicy {
    const { by, readsBody } = overrides;
    return Object.freeze({
      ...policy,
      steps: heldSteps(policy.steps, { overrides, policy: policy.ref, ports: this.#ports }),
      edits: overrides.judgesTarget ? withoutKeptOverrides(policy.edits) : policy.edits,
      readsBody: policy.readsBody || readsBody,
      attributes: new Set([...policy.attributes, ...overrides.attributes]),
      held: Object.freeze({ by, readsBody, isStandIn: false }),
    });
  }
}

/** Also what a build that failed made in between leaves what serves as it is. */
function once(bound: ByOverrides, overrides: OverrideSet, make: () => CompiledPolicy): CompiledPolicy {
  const policy = bound.get(overrides) ?? make();
  bound.set(overrides, policy);
  return policy;
}

/** Nobody was asked who calls, which is said before overrides are; whether it passes is said behind them. */
const begin: Step = (evaluation) => {
  evaluation.note({ reason: 'policy_invalid', outcome: 'would-deny' });
  evaluation.knowsCaller = true;
  return undefined;
};
const end: Step = (evaluation) => {
  evaluation.permit = 'audit';
  return undefined;
};

const TARGET: Target = Object.freeze({
  hosts: Object.freeze([]),
  routes: Object.freeze([]),
  templates: Object.freeze([]),
  paths: Object.freeze({ parameters: Object.freeze([]), match: () => undefined }),
  pathOptions: STRICT,
});

/** What is left of a policy in Audit of which nothing compiled. */
const NOBODYS: Omit<CompiledPolicy, 'ref'> = Object.freeze({
  mode: 'Audit',
  target: TARGET,
  steps: Object.freeze([
    { phase: 'policy', step: begin, row: 0 },
    { phase: 'authz', step: end, row: Number.MAX_SAFE_INTEGER },
  ] as const),
  edits: compileEdits({ upstreamHeaders: [], keepHeaders: [], credentials: [], forwarded: [], overTls: [] }),
  carriers: Object.freeze([]),
  logAllowsPercent: 0,
  redactedHeaders: Object.freeze([]),
  countsLocally: false,
  readsBody: false,
  held: undefined,
  attributes: new Set<string>(),
  patternParts: 0,
  roleRefs: Object.freeze([]),
  problems: Object.freeze([]),
});
