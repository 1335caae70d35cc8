import type { Problem } from '../core/problem.ts';
import type { ClaimedTarget } from './claimed-target.ts';
import { HostClaims } from './claims.ts';
import type { CompiledPolicy, PathOptions } from './compiled-policy.ts';
import type { ObjectMeta } from './object.ts';

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
}

export interface Assignment {
  /** What serves: the newest spec, the last good one, or nothing. */
  readonly serving: CompiledPolicy | undefined;
  /** Hosts that it governs; where nothing serves, those that it keeps from everybody else. */
  readonly hosts: readonly string[];
  readonly problem: Problem | undefined;
}

/**
 * Decides who holds which host, first come: what was held before comes first, then new claims by age. A policy whose
 * new hosts are in the way of another namespace keeps its last good spec; without one, what it may claim denies.
 *
 * @param byAge sorted by `compareAge`
 * @param breathe awaited between policies
 */
export async function assignHosts(
  byAge: readonly Candidate[],
  breathe: () => Promise<void> | undefined,
): Promise<ReadonlyMap<Candidate, Assignment>> {
  const assigner = new Assigner(agreedOptions(byAge));
  const assignments = new Map<Candidate, Assignment>();
  for (const candidate of byAge) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    if (isRecorded(candidate)) assigner.hold(candidate, heldBefore(candidate));
  }
  for (const candidate of byAge) {
    const pause = breathe();
    if (pause !== undefined) await pause;
    assignments.set(candidate, assigner.assign(candidate));
  }
  return assignments;
}

const heldBefore = (candidate: Candidate): readonly string[] =>
  candidate.accepted?.target.hosts ?? candidate.newest?.target.hosts ?? candidate.claimed.hosts;

/** Served before in this process, or every host of it recorded in status. */
function isRecorded(candidate: Candidate): boolean {
  if (candidate.accepted !== undefined && !candidate.isRestored) return true;
  return heldBefore(candidate).every((host) => candidate.recordedHosts.has(host));
}

/**
 * How each host's paths are read: as the newest specs say where they agree, else as its oldest policy was accepted
 * with, so that one policy's change never puts the others out.
 */
function agreedOptions(byAge: readonly Candidate[]): ReadonlyMap<string, PathOptions> {
  const agreed = new Map<string, { newest: PathOptions | undefined; readonly settled: PathOptions }>();
  for (const { newest, accepted } of byAge) {
    const policy = newest ?? accepted;
    if (policy === undefined) continue;
    const { pathOptions } = policy.target;
    for (const host of policy.target.hosts) {
      const known = agreed.get(host);
      if (known === undefined)
        agreed.set(host, { newest: pathOptions, settled: (accepted ?? policy).target.pathOptions });
      else if (known.newest !== undefined && !isSame(known.newest, pathOptions)) known.newest = undefined;
    }
  }
  return new Map([...agreed].map(([host, { newest, settled }]) => [host, newest ?? settled]));
}

class Assigner {
  readonly #claims = new HostClaims();
  readonly #options: ReadonlyMap<string, PathOptions>;

  constructor(options: ReadonlyMap<string, PathOptions>) {
    this.#options = options;
  }

  /** Takes hosts that were held before; one that another namespace took meanwhile is left to `assign`. */
  hold(candidate: Candidate, hosts: readonly string[]): void {
    for (const host of hosts) this.#claims.claim(host, candidate.meta.namespace);
  }

  assign(candidate: Candidate): Assignment {
    const { newest, accepted } = candidate;
    if (newest === undefined) {
      const problem = accepted && this.#conflict(accepted, candidate.meta.namespace);
      if (accepted !== undefined && problem === undefined)
        return { serving: accepted, hosts: this.#take(candidate, accepted.target.hosts), problem };
      return { serving: undefined, hosts: this.#take(candidate, candidate.claimed.hosts), problem };
    }
    const problem = this.#conflict(newest, candidate.meta.namespace);
    if (problem === undefined) return { serving: newest, hosts: this.#take(candidate, newest.target.hosts), problem };
    const isAcceptedStill = accepted !== undefined && this.#conflict(accepted, candidate.meta.namespace) === undefined;
    if (!isAcceptedStill) return { serving: undefined, hosts: this.#take(candidate, candidate.claimed.hosts), problem };
    return { serving: accepted, hosts: this.#take(candidate, accepted.target.hosts), problem };
  }

  #take(candidate: Candidate, hosts: readonly string[]): readonly string[] {
    return hosts.filter((host) => this.#claims.claim(host, candidate.meta.namespace) === undefined);
  }

  #conflict(policy: CompiledPolicy, namespace: string): Problem | undefined {
    for (const [index, host] of policy.target.hosts.entries()) {
      const path = `spec.target.hosts[${index}]`;
      const holder = this.#claims.holderInTheWay(host, namespace);
      if (holder !== undefined) {
        const message = `"${host}" overlaps a host that another namespace holds: use a host of your own`;
        return { reason: 'HostConflict', path, message, severity: 'error' };
      }
      const options = this.#options.get(host);
      if (options !== undefined && !isSame(options, policy.target.pathOptions)) {
        const message = `Another policy of "${host}" has other pathOptions: policies that share a host agree on them`;
        return { reason: 'PathOptionsConflict', path: 'spec.target.pathOptions', message, severity: 'error' };
      }
    }
    return undefined;
  }
}

const isSame = (a: PathOptions, b: PathOptions): boolean =>
  a.encodedSlash === b.encodedSlash && a.semicolon === b.semicolon && a.caseInsensitive === b.caseInsensitive;
