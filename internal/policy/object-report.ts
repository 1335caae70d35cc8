import type { Problem } from '../core/problem.ts';
import { missingRole } from '../phases/authz/missing-role.ts';
import { type Assignment, type Candidate, hostsOf } from './assign.ts';
import type { Default } from './baselines/defaults.ts';
import type { OverrideSet } from './baselines/override-set.ts';
import type { CompiledPolicy } from './compiled-policy.ts';
import type { Shadow } from './host-drafts.ts';
import { policyNotFound } from './missing-references.ts';
import type { CompiledNamespace } from './namespace-objects.ts';
import type { SourceObject } from './object.ts';

/** What the last build found of one object: the source of its status conditions, of `/debug/policies` and of lint. */
export interface ObjectReport {
  readonly object: SourceObject;
  /** The newest spec is what serves (policies), or is used at all (other kinds). */
  readonly isAccepted: boolean;
  /** An older spec serves in its place. */
  readonly servesLastGood: boolean;
  /** Which generation serves, of a policy that does. */
  readonly servingGeneration: number | undefined;
  /** Older policies govern all of its hosts and paths, so that it is never asked. */
  readonly isShadowed: boolean;
  /** Hosts of which older policies govern every path that it claims, whether or not a spec of it serves. */
  readonly shadowedHosts?: readonly string[];
  readonly problems: readonly Problem[];
  /** Hosts that the policy holds. */
  readonly hosts: readonly string[];
  /** A grant is gone by which it held some of them, or two namespaces are recorded to have held them: they deny, also in Audit. */
  readonly isLapsed?: boolean;
  /** Its target could not be read whole: what that leaves open is refused, also in Audit. */
  readonly isMisread?: boolean;
  /** Baselines whose overrides hold the policy. */
  readonly heldBy?: readonly string[];
  /** Limits of what serves that every replica counts by itself; undefined where there are none. */
  readonly localLimits?: LocalLimits | undefined;
  /** What baselines gave for sections that the newest spec leaves out, where it was accepted with it. */
  readonly given?: readonly Default[];
}

export interface LocalLimits {
  /** The policy has some, whether its author wrote them or a baseline gave them. */
  readonly hasOwn: boolean;
  /** Names of baselines whose limits are among them. */
  readonly by: readonly string[];
}

export interface PolicyFindings {
  /** The object that was compiled. */
  readonly object: SourceObject;
  readonly candidate: Candidate;
  readonly assignment: Assignment;
  readonly problems: readonly Problem[];
  readonly shadows: readonly Shadow[];
  readonly overrides: OverrideSet | undefined;
  readonly given: readonly Default[];
  /** Of its namespace, as the snapshot has them. */
  readonly roles: CompiledNamespace['roles'] | undefined;
}

export function policyReport({ object, candidate, assignment, ...found }: PolicyFindings): ObjectReport {
  const { serving } = assignment;
  const isAccepted = candidate.newest !== undefined && serving === candidate.newest;
  const problems = [...found.problems, ...assignment.problems];
  for (const { role, at } of (serving ?? candidate.newest)?.roleRefs ?? []) {
    if (found.roles?.defined.has(role)) continue;
    const message = `${missingRole(role, found.roles?.defined ?? [])}: allow rules grant nothing by it${found.roles?.bound.has(role) ? '' : ', deny rules hold for everyone'}`;
    problems.push({ reason: 'RoleNotFound', path: at.path, message, severity: 'reference' });
  }
  // Of one that serves nothing it is said what is wrong with it, and what of its hosts is refused meanwhile.
  if (serving !== undefined) for (const shadow of found.shadows) problems.push(shadowProblem(shadow));
  const hosts = hostsOf(assignment);
  const shadowed = shadowedHosts(assignment, found.shadows);
  return {
    object,
    isAccepted,
    servesLastGood: !isAccepted && serving !== undefined,
    servingGeneration: serving?.ref.generation,
    isShadowed: serving !== undefined && hosts.length > 0 && shadowed.length === hosts.length,
    shadowedHosts: shadowed,
    problems,
    hosts,
    isLapsed: assignment.isLapsed,
    isMisread: !candidate.claimed.isWhole,
    heldBy: found.overrides?.by ?? [],
    ...(isAccepted && { given: found.given, localLimits: localLimitsOf(serving, found) }),
  };
}

function localLimitsOf(
  serving: CompiledPolicy,
  { overrides, given }: Pick<PolicyFindings, 'overrides' | 'given'>,
): LocalLimits | undefined {
  const { countsLocally: hasOwn } = serving;
  const byDefault = given.filter(({ section }) => section === 'rateLimits').map(({ by }) => by);
  const by = [...new Set([...byDefault, ...(overrides?.limitsBy ?? [])])];
  return hasOwn || by.length > 0 ? { hasOwn, by } : undefined;
}

function shadowedHosts({ places }: Assignment, shadows: readonly Shadow[]): readonly string[] {
  if (shadows.length === 0) return NONE;
  const left = new Map<string, number>();
  for (const { host, templates } of places) left.set(host, (left.get(host) ?? 0) + templates.length);
  for (const { host } of shadows) left.set(host, (left.get(host) ?? 0) - 1);
  return [...left].filter(([, count]) => count === 0).map(([host]) => host);
}

const NONE: readonly string[] = Object.freeze([]);

const shadowProblem = ({ host, template, by }: Shadow): Problem => ({
  reason: 'TargetConflict',
  path: 'spec.target',
  message: `"${template.source}" of "${host}" is governed by "${by}", the older policy: give one of the two other paths`,
  severity: 'warning',
});

/** The class whose policies a snapshot has, and which these are. */
export interface KnownPolicies {
  readonly className: string;
  has(namespace: string, name: string): boolean;
}

/** Of the live objects that a snapshot was built from: one that came since then has not been judged. */
export function* liveReports(compiled: Iterable<CompiledNamespace>, policies: KnownPolicies): Iterable<ObjectReport> {
  for (const { problems: byObject, policyRefs } of compiled) {
    for (const [object, own] of byObject) {
      const { namespace } = object.metadata;
      const missing = policyRefs.get(object)?.filter(({ name }) => !policies.has(namespace, name)) ?? [];
      const problems =
        missing.length === 0 ? own : [...own, ...missing.map((ref) => policyNotFound(ref, policies.className))];
      yield {
        object,
        isAccepted: !problems.some((problem) => problem.severity === 'error'),
        servesLastGood: false,
        servingGeneration: undefined,
        isShadowed: false,
        problems,
        hosts: [],
      };
    }
  }
}
