import type { PolicyRef } from '../core/decision.ts';
import type { Carrier, Mode, Step } from '../core/evaluation.ts';
import type { Problem, ProblemList } from '../core/problem.ts';
import type { PhaseName } from '../core/reasons.ts';
import type { PathMatcher, PathTemplate } from '../match/path-template.ts';
import type { EditPlan } from './edit-plan.ts';

/** How a policy reads `%2f`, `;` and the case of its paths. Policies of one host agree on it. */
export interface PathOptions {
  readonly encodedSlash: 'Refuse' | 'Keep';
  readonly semicolon: 'Refuse' | 'Keep';
  readonly caseInsensitive: boolean;
}

/** How paths are read where nobody says. */
export const STRICT: PathOptions = Object.freeze({
  encodedSlash: 'Refuse',
  semicolon: 'Refuse',
  caseInsensitive: false,
});

/** One step with the phase it belongs to, for spans and metrics. */
export interface PhaseStep {
  readonly phase: PhaseName;
  readonly step: Step;
  /** Its row in the order of `phases.ts`. */
  readonly row: number;
}

/** What overrides of baselines make of a policy. */
export interface Held {
  /** Names of the baselines. */
  readonly by: readonly string[];
  /** An expression of theirs reads `request.body`. */
  readonly readsBody: boolean;
  /** There is no policy: overrides alone stand in for one in Audit that was never accepted. */
  readonly isStandIn: boolean;
}

export interface RouteTarget {
  readonly kind: string;
  readonly name: string;
  readonly sectionName: string | undefined;
}

/** What a policy claims to govern. */
export interface Target {
  /** Of a sidecar class: `THIS_WORKLOAD`, where the labels of the Pod are what it selects. Only builds read it. */
  readonly hosts: readonly string[];
  readonly routes: readonly RouteTarget[];
  readonly templates: readonly PathTemplate[];
  /** The templates as one matcher, for policies that are found by name or route. */
  readonly paths: PathMatcher;
  readonly pathOptions: PathOptions;
}

/** Everything of one accepted APIPolicy that a check needs: frozen, made when the policy arrives. */
export interface CompiledPolicy {
  readonly ref: PolicyRef;
  readonly mode: Mode;
  readonly target: Target;
  /** In the order of `phases.ts`, those that this policy has. */
  readonly steps: readonly PhaseStep[];
  readonly edits: EditPlan;
  /** Places in which credentials are looked for: what they hold is never logged. */
  readonly carriers: readonly Carrier[];
  /** Percent of allows that are logged. */
  readonly logAllowsPercent: number;
  readonly redactedHeaders: readonly string[];
  /** It has limits, each replica counts them by itself; those of what holds it are not among them. */
  readonly countsLocally: boolean;
  /** An expression of it, or of what holds it, reads `request.body`. */
  readonly readsBody: boolean;
  /** Its namespace's overrides, which are among its steps; undefined where there are none. */
  readonly held: Held | undefined;
  /** Vocabulary names that its expressions and criteria read. */
  readonly attributes: ReadonlySet<string>;
  /** What its patterns weigh together, in instructions. */
  readonly patternParts: number;
  /** Roles its rules name: whether they exist is the snapshot's to say. */
  readonly roleRefs: readonly { readonly role: string; readonly at: ProblemList }[];
  /** References and warnings; errors keep a policy from being compiled. */
  readonly problems: readonly Problem[];
}

/** A policy in a snapshot, or the place of one that was never accepted. */
export interface Served {
  readonly namespace: string;
  readonly name: string;
  readonly isAudit: boolean;
  readonly policy: CompiledPolicy | undefined;
  /** What its namespace's overrides make of one in Audit that was never accepted; undefined where it passes as it is. */
  readonly standIn?: CompiledPolicy | undefined;
}
