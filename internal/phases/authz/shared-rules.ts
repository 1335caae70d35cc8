import { LRUCache } from 'lru-cache';
import type { Rule } from './compile.ts';
import type { AuthorizationSpec } from './spec.ts';

/** Rules of one policy, by name. */
export interface Rules {
  readonly allows: readonly Rule[];
  readonly denies: readonly Rule[];
}

/** What rules depend on besides what is written. */
export interface RulesContext {
  readonly params: readonly string[];
  readonly caseInsensitive: boolean;
}

/**
 * Many policies say the same: of ten thousand that are asked in turn, nothing else is in the processor's cache. Kept as
 * long as a policy has them, and no longer: patterns in them can be large.
 */
const shared = new LRUCache<string, WeakRef<Rules>>({ max: 4096 });
/** A longer one is seldom said twice. */
const MAX_SHARED_LENGTH = 4096;

/** The rules of another policy in place of these, where both were compiled of the same, to the same expressions. */
export function sharedRules(spec: AuthorizationSpec, context: RulesContext, made: Rules): Rules {
  const key = JSON.stringify([context.caseInsensitive, context.params, spec.rules]);
  if (key.length > MAX_SHARED_LENGTH) return made;
  const known = shared.get(key)?.deref();
  if (known !== undefined && areSame(known.allows, made.allows) && areSame(known.denies, made.denies)) return known;
  shared.set(key, new WeakRef(made));
  return made;
}

/** A rule that did not compile is missing in one of them; an expression may have been compiled anew meanwhile. */
const areSame = (some: readonly Rule[], others: readonly Rule[]): boolean =>
  some.length === others.length && some.every((rule, index) => isSame(rule, others[index]));

function isSame({ name, criteria: { when } }: Rule, other: Rule | undefined): boolean {
  if (other?.name !== name || other.criteria.when.length !== when.length) return false;
  return when.every((expression, index) => expression === other.criteria.when[index]);
}
