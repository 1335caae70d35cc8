import type { Step } from '../../core/evaluation.ts';
import type { RateLimitPorts } from '../../phases/ratelimit/ratelimit.ts';
import { type CompiledPolicy, STRICT, type Target } from '../compiled-policy.ts';
import { compileEdits, withoutKeptOverrides } from '../edit-plan.ts';
import type { ObjectMeta } from '../object.ts';
import { heldSteps } from '../phases.ts';
import type { OverrideSet } from './override-set.ts';

interface Bound {
  readonly overrides: OverrideSet;
  readonly policy: CompiledPolicy;
}

/**
 * Policies as their namespaces' overrides hold them. What a policy is made of stays as it was compiled: a change of a
 * baseline puts other steps beside its own, whether it serves its newest spec, the last good one or a recorded one.
 */
export class HeldPolicies {
  readonly #ports: RateLimitPorts;
  /** By what is held: limits remember what checks took, so one that is held as before is the same one. */
  readonly #bound = new WeakMap<object, Bound>();

  constructor(ports: RateLimitPorts) {
    this.#ports = ports;
  }

  hold(policy: CompiledPolicy, overrides: OverrideSet | undefined): CompiledPolicy {
    if (overrides === undefined) return policy;
    return this.#once(policy, overrides, () => this.#held(policy, overrides));
  }

  /** Overrides alone, for a policy in Audit that was never accepted; undefined where nothing holds what it passes. */
  standIn(meta: ObjectMeta, overrides: OverrideSet | undefined): CompiledPolicy | undefined {
    if (overrides === undefined) return undefined;
    return this.#once(meta, overrides, () => {
      const { namespace, name, uid, generation } = meta;
      const ref = Object.freeze({ namespace, name, uid, generation });
      const held = this.#held({ ...NOBODYS, ref }, overrides);
      return Object.freeze({ ...held, held: Object.freeze({ ...held.held, isStandIn: true }) } as CompiledPolicy);
    });
  }

  #once(key: object, overrides: OverrideSet, make: () => CompiledPolicy): CompiledPolicy {
    const known = this.#bound.get(key);
    if (known?.overrides === overrides) return known.policy;
    const policy = make();
    this.#bound.set(key, { overrides, policy });
    return policy;
  }

  #held(policy: CompiledPolicy, overrides: OverrideSet): CompiledPolicy {
    const { by, readsBody } = overrides;
    return Object.freeze({
      ...policy,
      steps: heldSteps(policy.steps, { overrides, policy: policy.ref, ports: this.#ports }),
      edits: overrides.deny === undefined ? policy.edits : withoutKeptOverrides(policy.edits),
      readsBody: policy.readsBody || readsBody,
      attributes: new Set([...policy.attributes, ...overrides.attributes]),
      held: Object.freeze({ by, readsBody, isStandIn: false }),
    });
  }
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
  readsBody: false,
  held: undefined,
  attributes: new Set<string>(),
  patternParts: 0,
  roleRefs: Object.freeze([]),
  problems: Object.freeze([]),
});
