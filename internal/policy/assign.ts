import type { Breathe } from '../core/breather.ts';
import type { Problem } from '../core/problem.ts';
import type { ClaimedTarget } from './claimed-target.ts';
import { HostClaims } from './claims.ts';
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
  /** Hosts that it governs; where nothing serves, those that it keeps from everybody else. */
  readonly hosts: readonly string[];
  readonly problem: Problem | undefined;
}

/**
 * What the agreement cannot foresee, such as who is now first at a host that nobody held, may free or stop others in
 * turn. After so many rounds of that, no path options change in the namespaces where it goes on, and after as many again
 * in none: whoever makes policies depend on each other delays all others by a bounded time.
 */
const MAX_ROUNDS = 4;

/**
 * Decides who holds which host, first come: what was held before comes first, then new claims by age. A policy whose
 * newest spec is in the way of another namespace, or reads paths unlike those who hold its hosts, keeps its last good
 * spec; without one it serves nothing, and what it may claim denies.
 *
 * @param byAge sorted by `compareAge`
 * @param breathe awaited between policies
 */
export async function assignHosts(
  byAge: readonly Candidate[],
  breathe: Breathe,
): Promise<ReadonlyMap<Candidate, Assignment>> {
  const agreement = await PathAgreement.of(byAge, breathe);
  for (let round = 1; ; round += 1) {
    const assignments = await assignBy(agreement, byAge, breathe);
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
  agreement: PathAgreement,
  byAge: readonly Candidate[],
  breathe: Breathe,
): Promise<ReadonlyMap<Candidate, Assignment>> {
  const assigner = new Assigner(agreement);
  const assignments = new Map<Candidate, Assignment>();
  for (const hostsOf of [servedHosts, recordedHosts]) {
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      assigner.hold(candidate, hostsOf(candidate));
    }
  }
  for (const candidate of byAge) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    assignments.set(candidate, assigner.assign(candidate));
  }
  return assignments;
}

const NO_HOSTS: readonly string[] = Object.freeze([]);

/** Hosts of a policy that served before in this process. */
const servedHosts = ({ accepted, isRestored }: Candidate): readonly string[] =>
  accepted === undefined || isRestored ? NO_HOSTS : accepted.target.hosts;

/** Hosts that status recorded, one by one: a host that the policy asks for besides is a new claim. */
function recordedHosts({ accepted, claimed, recordedHosts: recorded }: Candidate): readonly string[] {
  if (recorded.size === 0) return NO_HOSTS;
  return [...(accepted?.target.hosts ?? NO_HOSTS), ...claimed.hosts].filter((host) => recorded.has(host));
}

class Assigner {
  readonly #claims = new HostClaims();
  readonly #agreement: PathAgreement;
  /** Path options of hosts that nobody governed before, as the oldest policy that comes to them has them. */
  readonly #first = new Map<string, PathOptions>();

  constructor(agreement: PathAgreement) {
    this.#agreement = agreement;
  }

  /** Takes hosts that were held before; one that another namespace took meanwhile is left to `assign`. */
  hold(candidate: Candidate, hosts: readonly string[]): void {
    for (const host of hosts) this.#claims.claim(host, candidate.meta.namespace);
  }

  assign(candidate: Candidate): Assignment {
    const { newest, accepted } = candidate;
    const problem = newest && this.#conflict(newest, candidate.meta.namespace);
    if (newest !== undefined && problem === undefined) return this.#serve(newest, candidate, problem);
    const older = accepted && this.#conflict(accepted, candidate.meta.namespace);
    if (accepted !== undefined && older === undefined) return this.#serve(accepted, candidate, problem);
    return { serving: undefined, hosts: this.#take(candidate, candidate.claimed.hosts), problem: problem ?? older };
  }

  #serve(serving: CompiledPolicy, candidate: Candidate, problem: Problem | undefined): Assignment {
    const { hosts, pathOptions } = serving.target;
    for (const host of hosts) if (!this.#first.has(host)) this.#first.set(host, pathOptions);
    return { serving, hosts: this.#take(candidate, hosts), problem };
  }

  #take(candidate: Candidate, hosts: readonly string[]): readonly string[] {
    return hosts.filter((host) => this.#claims.claim(host, candidate.meta.namespace) === undefined);
  }

  #conflict({ target }: CompiledPolicy, namespace: string): Problem | undefined {
    for (const [index, host] of target.hosts.entries()) {
      const holder = this.#claims.holderInTheWay(host, namespace);
      if (holder !== undefined) {
        const path = `spec.target.hosts[${index}]`;
        const message = `"${host}" overlaps a host that another namespace holds: use a host of your own`;
        return { reason: 'HostConflict', path, message, severity: 'error' };
      }
      const options = this.#agreement.optionsOf(host) ?? this.#first.get(host);
      if (options !== undefined && !isSameOptions(options, target.pathOptions)) {
        const message = `The paths of "${host}" are read with other pathOptions: policies that share a host agree on them`;
        return { reason: 'PathOptionsConflict', path: 'spec.target.pathOptions', message, severity: 'error' };
      }
    }
    return undefined;
  }
}
