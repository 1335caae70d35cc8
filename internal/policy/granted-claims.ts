import type { Problem } from '../core/problem.ts';
import type { Looks } from '../match/owned-paths.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Candidate } from './assign.ts';
import { type Claim, type Claiming, type Lapsed, NOBODY, type Place } from './claiming.ts';
import type { HostGrants } from './host-grants.ts';
import { conflict, unproven } from './in-the-way.ts';
import { KeptPaths } from './kept-paths.ts';
import { recordedClaim } from './lapsed-claims.ts';
import { notGranted, type Ungranted } from './not-granted.ts';
import type { Part } from './part.ts';
import { claimsOf, type PartClaims } from './part-claims.ts';
import { tooManyPairs } from './too-many-pairs.ts';

/**
 * Nodes of others' claims that may be looked at for one policy at a time, some 3 ms of work, and for all policies of a
 * namespace in one build: then what is left of theirs is taken to be in somebody's way. So nobody delays the builds of all.
 */
const NEW: Bound = { ofPolicy: 20_000, ofNamespace: 500_000 };
/** The same for what served before, after grants changed: it must not fall because others claim much beside it. */
const HELD: Bound = { ofPolicy: 200_000, ofNamespace: 5_000_000 };

interface Bound {
  readonly ofPolicy: number;
  readonly ofNamespace: number;
}

/** `Unproven`: nothing of others was found in its way, but not all of theirs was looked at. */
type Verdict = { readonly part: Part } | 'HostNotGranted' | 'HostConflict' | 'Unproven';

export interface GrantedOptions {
  readonly grants: HostGrants;
  /** What policies held by grants that are gone, already taken out of `grants`. */
  readonly lapsed: ReadonlyMap<Candidate, Lapsed>;
  /** The grants are those of the build before: what served by them overlaps nothing else that did. */
  readonly areSettled: boolean;
}

/** A claim is a host with a path, and counts where a grant gives it: in each part the first recorded claim holds. */
export class GrantedClaims implements Claiming {
  readonly #grants: HostGrants;
  readonly #lapsed: ReadonlyMap<Candidate, Lapsed>;
  readonly #areSettled: boolean;
  readonly #claims = new Map<Part, PartClaims>();
  /** What was taken of what status tells. All of that was compared with each other before any of it was taken. */
  readonly #told = new Map<Part, PartClaims>();
  readonly #looks = new Map<Bound, Map<string, Looks>>([
    [NEW, new Map()],
    [HELD, new Map()],
  ]);
  /** What status tells, whoever else tells it. */
  readonly #recorded = new Map<Part, PartClaims>();
  readonly #disputed = new Map<Candidate, Lapsed>();
  /** What served before and may go on, whole. */
  readonly #held = new Map<Claim, readonly Place[]>();
  /** What each policy has by its claim of before: whatever it asks for now, that much was compared already. */
  readonly #kept = new Map<Candidate, KeptPaths>();

  constructor({ grants, lapsed, areSettled }: GrantedOptions) {
    this.#grants = grants;
    this.#lapsed = lapsed;
    this.#areSettled = areSettled;
  }

  leaves(host: string, { templates }: Claim, candidate: Candidate): boolean {
    if (this.#ownWhole(host, candidate) !== undefined) return true;
    return templates.some((template) => typeof this.#judge({ host, template, candidate, ...COMPARED }) !== 'string');
  }

  /** The part of all paths of the host, where that is one, and the namespace may claim them. */
  #ownWhole(host: string, { meta }: Candidate): Part | undefined {
    const { whole } = this.#grants.on(host);
    return whole?.selects(meta.namespace) === true ? whole : undefined;
  }

  hold(claim: Claim, candidate: Candidate): void {
    const take = (looks: Looks | undefined): readonly Place[] =>
      this.#takeBy(claim, candidate, { looks, when: 'served' });
    this.#keep(claim, candidate, this.#areSettled ? take(undefined) : this.#bounded(HELD, candidate, take));
  }

  noteRecorded(candidate: Candidate): void {
    const claim = recordedClaim(candidate);
    if (claim === undefined || tooManyPairs(claim) !== undefined) return;
    for (const host of claim.hosts) {
      for (const template of claim.templates) {
        const verdict = this.#judge({ host, template, candidate, ...COMPARED });
        if (typeof verdict !== 'string')
          claimsOf(this.#recorded, verdict.part).add(host, [template], candidate.meta.namespace);
      }
    }
  }

  /** Whoever wrote the status: it is held against what others hold, in every build. */
  holdRecorded(candidate: Candidate): void {
    const recorded = recordedClaim(candidate);
    if (recorded === undefined) return;
    const { by } = recorded;
    const places = this.#bounded(HELD, candidate, (looks) => this.#disputedOf(recorded, candidate, looks));
    if (places.length > 0) {
      this.#disputed.set(candidate, { held: by, places, isOnlyTold: true });
      return;
    }
    this.#keep(
      by.target,
      candidate,
      this.#bounded(HELD, candidate, (looks) => this.#takeBy(recorded, candidate, { looks, when: 'recorded' })),
    );
  }

  /**
   * What status tells of another namespace too: it is in everybody's way from then on, also in its own, unless it is in
   * the way of what serves, which no status changes.
   */
  #disputedOf(claim: Claim, candidate: Candidate, looks: Looks): readonly Place[] {
    if (tooManyPairs(claim) !== undefined) return [];
    const { namespace } = candidate.meta;
    const places: Place[] = [];
    for (const host of claim.hosts) {
      for (const template of claim.templates) {
        const verdict = this.#judge({ host, template, candidate, ...COMPARED });
        if (typeof verdict === 'string') continue;
        const { part } = verdict;
        if (this.#recorded.get(part)?.isInTheWay(host, template, { namespace, looks }) !== true) continue;
        const claims = claimsOf(this.#claims, part);
        if (!claims.isInTheWay(host, template, { namespace: NOBODY, looks })) claims.add(host, [template], NOBODY);
        places.push({ host, templates: [template], part });
      }
    }
    return places;
  }

  #keep(claim: Claim, candidate: Candidate, places: readonly Place[]): void {
    if (places.length > 0) this.#kept.set(candidate, new KeptPaths(places));
    const count = places.reduce((sum, { templates }) => sum + templates.length, 0);
    if (count > 0 && count === claim.hosts.length * claim.templates.length) this.#held.set(claim, places);
  }

  lapsedOf(candidate: Candidate): Lapsed | undefined {
    const lapsed = this.#lapsed.get(candidate);
    const disputed = this.#disputed.get(candidate);
    return lapsed && disputed ? { ...lapsed, places: [...lapsed.places, ...disputed.places] } : (lapsed ?? disputed);
  }

  problemsOf(claim: Claim, candidate: Candidate): readonly Problem[] {
    if (this.#held.has(claim)) return [];
    const tooMany = tooManyPairs(claim);
    if (tooMany !== undefined) return [tooMany];
    return this.#bounded(NEW, candidate, (looks) => this.#problemsBy(claim, candidate, looks));
  }

  #problemsBy(claim: Claim, candidate: Candidate, looks: Looks): readonly Problem[] {
    const problems: Problem[] = [];
    const ungranted: Ungranted[] = [];
    for (const [index, host] of claim.hosts.entries()) {
      const lacking: PathTemplate[] = [];
      for (const template of claim.templates) {
        const verdict = this.#judge({ host, template, candidate, looks, when: 'now' });
        if (verdict === 'HostNotGranted') lacking.push(template);
        if (verdict !== 'HostConflict' && verdict !== 'Unproven') continue;
        const say = verdict === 'HostConflict' ? conflict : unproven;
        problems.push(say(`spec.target.hosts[${index}]`, host, template.source));
        break;
      }
      if (lacking.length === 0) continue;
      const isOfOthers = lacking.some((template) => this.#grants.on(host).overlaps(template));
      ungranted.push({ host, index, paths: lacking.map(({ source }) => source), isOfOthers });
    }
    return ungranted.length === 0 ? problems : [notGranted(ungranted, candidate.meta), ...problems];
  }

  take(claim: Claim, candidate: Candidate): readonly Place[] {
    const held = this.#held.get(claim);
    return held ?? this.#bounded(NEW, candidate, (looks) => this.#takeBy(claim, candidate, { looks, when: 'now' }));
  }

  #takeBy(claim: Claim, candidate: Candidate, comparing: Comparing): readonly Place[] {
    if (tooManyPairs(claim) !== undefined) return [];
    const into = comparing.when === 'recorded' ? this.#told : this.#claims;
    const places: Place[] = [];
    for (const host of claim.hosts) {
      for (const [part, templates] of this.#byPart(host, claim.templates, { candidate, ...comparing })) {
        claimsOf(into, part).add(host, templates, candidate.meta.namespace);
        places.push({ host, templates, part });
      }
    }
    return places;
  }

  /** Which of the paths it may have, by the part that gives them. */
  #byPart(
    host: string,
    templates: readonly PathTemplate[],
    asked: Comparing & Pick<Pair, 'candidate'>,
  ): ReadonlyMap<Part, readonly PathTemplate[]> {
    const whole = asked.looks === undefined ? this.#ownWhole(host, asked.candidate) : undefined;
    if (whole !== undefined) return new Map([[whole, templates]]);
    const byPart = new Map<Part, PathTemplate[]>();
    for (const template of templates) {
      const verdict = this.#judge({ host, template, ...asked });
      if (typeof verdict === 'string') continue;
      const given = byPart.get(verdict.part);
      if (given === undefined) byPart.set(verdict.part, [template]);
      else given.push(template);
    }
    return byPart;
  }

  #judge({ host, template, candidate, looks, when }: Pair): Verdict {
    const { namespace } = candidate.meta;
    const granted = this.#grants.on(host);
    const part = granted.grantedFor(template);
    if (part?.selects(namespace) !== true) return 'HostNotGranted';
    if (granted.isLapsed(template)) return 'HostConflict';
    if (looks === undefined) return { part };
    if (this.#kept.get(candidate)?.has(host, template) === true) return { part };
    const all = when === 'now' ? [this.#claims, this.#told] : [this.#claims];
    const asking = { namespace, looks };
    if (!all.some((claims) => claims.get(part)?.isInTheWay(host, template, asking) === true)) return { part };
    if (looks.left >= 0) return 'HostConflict';
    // What this process saw served is nobody's invention: it goes on unless something is found in its way.
    return when === 'served' ? { part } : 'Unproven';
  }

  #bounded<T>(bound: Bound, { meta }: Candidate, work: (looks: Looks) => T): T {
    const byNamespace = this.#looks.get(bound);
    const left = byNamespace?.get(meta.namespace)?.left ?? bound.ofNamespace;
    const most = Math.min(left, bound.ofPolicy);
    const looks = { left: most };
    const result = work(looks);
    byNamespace?.set(meta.namespace, { left: left - (most - Math.max(looks.left, 0)) });
    return result;
  }
}

interface Comparing {
  /** undefined where nothing of others can be in the way. */
  readonly looks: Looks | undefined;
  /** It served before in this process, status tells that it did before that, or it is asked for now. */
  readonly when: 'served' | 'recorded' | 'now';
}

interface Pair extends Comparing {
  readonly host: string;
  readonly template: PathTemplate;
  readonly candidate: Candidate;
}

/** Nothing is to be compared any more. */
const COMPARED: Comparing = { looks: undefined, when: 'now' };
