import type { Problem } from '../core/problem.ts';

/** What the policies of one namespace may come to. */
export interface NamespaceBudget {
  readonly policies: number;
  /** Bytes that they take compiled, as `weightOf` estimates them. */
  readonly bytes: number;
}

/** Of any policy; of each character of its spec as JSON; of each part of its patterns: bytes, measured. */
const EACH = 8192;
const CHARACTER = 16;
const PATTERN_PART = 475;

/**
 * Bytes that a policy takes in memory, about: known before it is compiled, but for its patterns, of which some characters
 * may make thousands of parts.
 *
 * @param patternParts once it is compiled
 */
export const weightOf = (spec: unknown, patternParts = 0): number =>
  EACH + CHARACTER * (JSON.stringify(spec ?? null).length + 1) + PATTERN_PART * patternParts;

interface Used {
  policies: number;
  bytes: number;
}

/**
 * What is left of the budgets of all namespaces while policies are compiled for one snapshot. What serves is taken first,
 * then what status tells that did, then what is new, older first: so over budget the newest is refused, and an update that
 * is too much is refused and puts out nothing else. No namespace's use is another's.
 */
export class NamespaceBudgets {
  readonly #budget: NamespaceBudget | undefined;
  readonly #used = new Map<string, Used>();
  /** Bytes by policy: of the heavier of its two specs, the one that serves and the newest. */
  readonly #held = new Map<object, number>();

  /** @param budget undefined: there is none, and everything fits */
  constructor(budget: NamespaceBudget | undefined) {
    this.#budget = budget;
  }

  /** Takes what serves already: it was found to fit before. */
  hold(policy: object, namespace: string, bytes: number): void {
    if (this.#budget !== undefined) this.#take(policy, this.#usedBy(namespace), bytes);
  }

  /** Takes a spec of the policy; why not, where that is more than its namespace may have. */
  take(policy: object, namespace: string, bytes: number): Problem | undefined {
    const budget = this.#budget;
    if (budget === undefined) return undefined;
    const used = this.#usedBy(namespace);
    const held = this.#held.get(policy);
    if (held !== undefined && bytes <= held) return undefined;
    if (held === undefined && used.policies >= budget.policies) return exceeded(tooMany(budget));
    if (used.bytes - (held ?? 0) + bytes > budget.bytes) return exceeded(tooLarge(bytes, budget));
    this.#take(policy, used, bytes);
    return undefined;
  }

  #take(policy: object, used: Used, bytes: number): void {
    const held = this.#held.get(policy);
    if (held === undefined) used.policies += 1;
    used.bytes += bytes - (held ?? 0);
    this.#held.set(policy, bytes);
  }

  #usedBy(namespace: string): Used {
    let used = this.#used.get(namespace);
    if (used === undefined) {
      used = { policies: 0, bytes: 0 };
      this.#used.set(namespace, used);
    }
    return used;
  }
}

const exceeded = (message: string): Problem => ({ reason: 'QuotaExceeded', path: 'spec', message, severity: 'error' });

// Nothing that changes with other policies: each change would be another status to write, for each that is refused.
const tooMany = ({ policies }: NamespaceBudget): string =>
  `The namespace may have ${policies} policies (--namespace-policies), and those that serve or are older are as many: delete some of them, or ask the platform for more`;

const tooLarge = (bytes: number, budget: NamespaceBudget): string =>
  `This takes ${mebibytes(bytes)}, and with the policies that serve or are older that is more than the ${mebibytes(budget.bytes)} of the namespace (--namespace-policy-bytes): repeat less in patterns, delete policies, or ask the platform for more`;

const mebibytes = (bytes: number): string => `${(bytes / 1_048_576).toFixed(2)} MiB`;
