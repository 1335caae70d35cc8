import type { Breathe } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import type { ClaimedTarget } from './claimed-target.ts';
import { type Claim, type Claiming, type HostRule, NO_CLAIM, NO_PLACES, type Place } from './claiming.ts';
import type { CompiledPolicy, PathOptions } from './compiled-policy.ts';
import type { ObjectMeta } from './object.ts';
import { isSameOptions, PathAgreement } from './path-agreement.ts';

/** One policy on its way into a snapshot. */
export interface Candidate {
  readonly meta: ObjectMeta;
  /** The newest spec, if it compiled. */
  readonly newest: CompiledPolicy | undefined;
  /** The last spec that was accepted; the same object as `newest` when nothing changed. */
  readonly accepted: CompiledPolicy | undefined;
  /** The spec by which it held what it lost with a grant, while nothing of it serves. */
  readonly lapsed: CompiledPolicy | undefined;
  /** Nothing but a status tells that it held what `lapsed` says. */
  readonly isLapseOnlyTold: boolean;
  /** The accepted spec comes from a status: nothing in this process assigned it any hosts yet. */
  readonly isRestored: boolean;
  /** The newest spec asks for Audit, whether or not it compiled. */
  readonly isAudit: boolean;
  /** What the newest spec claims, whether or not it compiled: while nothing serves it denies, it is not free. */
  readonly claimed: ClaimedTarget;
  /** Hosts that status recorded for this policy before this process began. */
  readonly recordedHosts: ReadonlySet<string>;
  /** Status says that the newest spec was accepted. */
  readonly isRecordedNewest: boolean;
}

export interface Assignment {
  /** What serves: the newest spec, the last good one, or nothing. */
  readonly serving: CompiledPolicy | undefined;
  /** What it governs; where nothing serves, what it keeps from everybody else. */
  readonly places: readonly Place[];
  /** Why it is not the newest spec. */
  readonly problems: readonly Problem[];
  /** The spec by which it held what it lost with a grant, or what another namespace is recorded to have held as well. */
  readonly lapsed: CompiledPolicy | undefined;
  /** What it keeps from everybody else is refused whatever its author wishes, also in Audit. */
  readonly isLapsed: boolean;
  /** Nothing but a status tells that it held what `lapsed` says. */
  readonly isLapseOnlyTold: boolean;
}

/**
 * What the agreement cannot foresee, such as who is now first at a host that nobody held, may free or stop others in
 * turn. After so many rounds of that, no path options change in the namespaces where it goes on, and after as many again
 * in none: whoever makes policies depend on each other delays all others by a bounded time.
 */
const MAX_ROUNDS = 4;

/** Hosts that a policy has something of, each once. */
export const hostsOf = ({ places }: Assignment): readonly string[] => [...new Set(places.map(({ host }) => host))];

/**
 * Decides who holds what, first come: what was held before comes first, then new claims by age. A policy whose newest spec
 * is not granted what it claims, is in the way of another namespace, or reads paths unlike those who hold its hosts, keeps
 * its last good spec, if that one may have what it claims; without one it serves nothing, and what it may claim denies.
 *
 * @param byAge sorted by `compareAge`
 * @param rule how hosts are given to namespaces
 * @param breathe awaited between policies
 */
export async function assignHosts(
  byAge: readonly Candidate[],
  rule: HostRule,
  breathe: Breathe,
): Promise<ReadonlyMap<Candidate, Assignment>> {
  const agreement = await PathAgreement.of(byAge, { claims: rule(), breathe });
  for (let round = 1; ; round += 1) {
    const assignments = await assignBy(new Assigner(agreement, rule()), byAge, breathe);
    const stuck: Candidate[] = [];
    for (const [candidate, { serving }] of assignments) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      if (candidate.accepted !== undefined && serving !== candidate.newest) stuck.push(candidate);
    }
    const namespaces = await agreement.keep(stuck, breathe);
    if (namespaces.size === 0) return assignments;
    if (round < MAX_ROUNDS) continue;
    const isEverywhere = round >= 2 * MAX_ROUNDS;
    const rest = byAge.filter(({ meta }) => isEverywhere || namespaces.has(meta.namespace));
    await agreement.keep(rest, breathe);
  }
}

async function assignBy(
  assigner: Assigner,
  byAge: readonly Candidate[],
  breathe: Breathe,
): Promise<ReadonlyMap<Candidate, Assignment>> {
  const assignments = new Map<Candidate, Assignment>();
  for (const when of ['served', 'noted', 'recorded'] as const) {
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      assigner.hold(candidate, when);
    }
  }
  for (const candidate of byAge) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    assignments.set(candidate, assigner.assign(candidate));
  }
  return assignments;
}

/** What a policy served before in this process. */
const servedClaim = ({ accepted, isRestored }: Candidate): Claim =>
  accepted === undefined || isRestored ? NO_CLAIM : accepted.target;

const NOT_LAPSED = Object.freeze({ lapsed: undefined, isLapsed: false, isLapseOnlyTold: false });

class Assigner {
  readonly #claims: Claiming;
  readonly #agreement: PathAgreement;
  /** Path options of hosts that nobody governed before, as the oldest policy that comes to them has them. */
  readonly #first = new Map<string, PathOptions>();

  constructor(agreement: PathAgreement, claims: Claiming) {
    this.#agreement = agreement;
    this.#claims = claims;
  }

  /** Takes what was held before; what another namespace took meanwhile is left to `assign`. */
  hold(candidate: Candidate, when: 'served' | 'noted' | 'recorded'): void {
    if (when === 'served') this.#claims.hold(servedClaim(candidate), candidate);
    else if (when === 'noted') this.#claims.noteRecorded(candidate);
    else this.#claims.holdRecorded(candidate);
  }

  assign(candidate: Candidate): Assignment {
    const { newest } = candidate;
    const problems = newest && this.#problems(newest, candidate);
    if (newest !== undefined && problems?.length === 0) return this.#serve(newest, candidate, problems);
    const older = candidate.accepted ?? candidate.lapsed;
    const olderProblems = older && (older === newest ? problems : this.#problems(older, candidate));
    if (older !== undefined && olderProblems?.length === 0) return this.#serve(older, candidate, problems ?? []);
    return this.#deny(candidate, problems ?? olderProblems ?? []);
  }

  #serve(serving: CompiledPolicy, candidate: Candidate, problems: readonly Problem[]): Assignment {
    const { hosts, pathOptions } = serving.target;
    for (const host of hosts) if (!this.#first.has(host)) this.#first.set(host, pathOptions);
    return { serving, places: this.#claims.take(serving.target, candidate), problems, ...NOT_LAPSED };
  }

  #deny(candidate: Candidate, problems: readonly Problem[]): Assignment {
    const lapsed = this.#claims.lapsedOf(candidate);
    const claimed = this.#claims.take(candidate.claimed, candidate);
    const places = [...(lapsed?.places ?? NO_PLACES), ...claimed];
    if (lapsed === undefined) return { serving: undefined, places, problems, ...NOT_LAPSED };
    const { held, isOnlyTold } = lapsed;
    return { serving: undefined, places, problems, lapsed: held, isLapsed: true, isLapseOnlyTold: isOnlyTold };
  }

  #problems({ target }: CompiledPolicy, candidate: Candidate): readonly Problem[] {
    const problems = this.#claims.problemsOf(target, candidate);
    const unlike = target.hosts.filter((host) => {
      const options = this.#agreement.optionsOf(host, candidate.meta.namespace) ?? this.#first.get(host);
      return options !== undefined && !isSameOptions(options, target.pathOptions);
    });
    if (unlike.length === 0) return problems;
    const message = `The paths of ${quoted(unlike)} are read with other pathOptions: policies that share a host agree on them`;
    return [
      ...problems,
      { reason: 'PathOptionsConflict', path: 'spec.target.pathOptions', message, severity: 'error' },
    ];
  }
}

const quoted = (hosts: readonly string[]): string => hosts.map((host) => `"${host}"`).join(', ');
