import type { Problem } from '../core/problem.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Candidate } from './assign.ts';
import type { Part } from './part.ts';

/** What a policy asks for, or held: all of these paths on each of these hosts. */
export interface Claim {
  /** Canonical, `*.` for wildcards. */
  readonly hosts: readonly string[];
  readonly templates: readonly PathTemplate[];
}

/** What a policy has of one host. */
export interface Place {
  readonly host: string;
  readonly templates: readonly PathTemplate[];
  /** The part that grants give it in; undefined where hosts belong to whoever comes first. */
  readonly part: Part | undefined;
}

export const NO_CLAIM: Claim = Object.freeze({ hosts: Object.freeze([]), templates: Object.freeze([]) });
export const NO_PLACES: readonly Place[] = Object.freeze([]);
/** No namespace's name: who holds what nobody may have. */
export const NOBODY = '';

/** Who holds what while policies are assigned, one after the other. */
export interface Claiming {
  /** Whether the rule leaves the policy any path of its claim on that host, whoever holds it. */
  leaves(host: string, claim: Claim, candidate: Candidate): boolean;
  /** Takes what the policy served before in this process. */
  hold(claim: Claim, candidate: Candidate): void;
  /** Hears what status tells that it held before this process began: all of it before any is taken. */
  noteRecorded(candidate: Candidate): void;
  /**
   * Takes what was noted, unless status tells the same of another namespace: then one of them is forged, or both, and
   * nobody may have it.
   */
  holdRecorded(candidate: Candidate): void;
  /** Why the policy may not have all of it, each host that it may not have. */
  problemsOf(claim: Claim, candidate: Candidate): readonly Problem[];
  /** Takes what of it the policy may have. */
  take(claim: Claim, candidate: Candidate): readonly Place[];
  /** What denies for the policy while none of its specs serves, besides what it claims. */
  lapsedOf(candidate: Candidate): Lapsed | undefined;
}

/** What a policy held by grants that are gone, or what another namespace is recorded to have held as well. */
export interface Lapsed {
  /** The spec that it held it by, where it can be read. */
  readonly held: Candidate['accepted'];
  /** Nothing but a status tells of it: nobody saw it in this process. */
  readonly isOnlyTold: boolean;
  readonly places: readonly Place[];
}

/** How hosts are given to namespaces: a beginning of `Claiming` for every round. */
export type HostRule = () => Claiming;
