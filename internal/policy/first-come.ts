import type { Problem } from '../core/problem.ts';
import type { Candidate } from './assign.ts';
import { EVERYTHING } from './claimed-target.ts';
import { type Claim, type Claiming, type Lapsed, NO_CLAIM, NOBODY, type Place } from './claiming.ts';
import { HostClaims } from './claims.ts';
import { PartClaims } from './part-claims.ts';

const ALL = [EVERYTHING];

/** A host, with all under its wildcard, belongs to the one namespace that claimed it first. */
export class FirstCome implements Claiming {
  readonly #claims = new HostClaims();
  /** What status tells, whoever else tells it. */
  readonly #recorded = new PartClaims();
  readonly #disputed = new Map<Candidate, Lapsed>();

  /** Every host is anybody's to come to. */
  leaves(): boolean {
    return true;
  }

  hold(claim: Claim, candidate: Candidate): void {
    this.take(claim, candidate);
  }

  noteRecorded(candidate: Candidate): void {
    for (const host of recordedOf(candidate)) this.#recorded.add(host, ALL, candidate.meta.namespace);
  }

  /** Hosts one by one: a host that the policy asks for besides is a new claim. */
  holdRecorded(candidate: Candidate): void {
    const { accepted, lapsed, claimed, meta } = candidate;
    const disputed: string[] = [];
    for (const host of recordedOf(candidate)) {
      const asking = { namespace: meta.namespace, looks: { left: Number.MAX_SAFE_INTEGER } };
      const isDisputed = this.#recorded.isInTheWay(host, EVERYTHING, asking);
      const holder = this.#claims.claim(host, isDisputed ? NOBODY : meta.namespace);
      if (isDisputed && holder === undefined) disputed.push(host);
    }
    if (disputed.length === 0) return;
    const places = disputed.map((host): Place => ({ host, templates: claimed.templates, part: undefined }));
    this.#disputed.set(candidate, { held: accepted ?? lapsed, places, isOnlyTold: true });
  }

  problemsOf({ hosts }: Claim, { meta }: Candidate): readonly Problem[] {
    const problems: Problem[] = [];
    for (const [index, host] of hosts.entries()) {
      if (this.#claims.holderInTheWay(host, meta.namespace) !== undefined) problems.push(hostConflict(index, host));
    }
    return problems;
  }

  take({ hosts, templates }: Claim, { meta }: Candidate): readonly Place[] {
    return hosts.flatMap((host): readonly Place[] =>
      this.#claims.claim(host, meta.namespace) === undefined ? [{ host, templates, part: undefined }] : [],
    );
  }

  lapsedOf(candidate: Candidate): Lapsed | undefined {
    return this.#disputed.get(candidate);
  }
}

/** Of what serves in this process nobody has to be told. */
function recordedOf({ accepted, isRestored, lapsed, claimed, recordedHosts }: Candidate): readonly string[] {
  if (recordedHosts.size === 0 || (accepted !== undefined && !isRestored)) return NO_CLAIM.hosts;
  const asked = [...((accepted ?? lapsed)?.target.hosts ?? NO_CLAIM.hosts), ...claimed.hosts];
  return asked.filter((host) => recordedHosts.has(host));
}

function hostConflict(index: number, host: string): Problem {
  const message = `"${host}" overlaps a host that another namespace holds, or is recorded to have held: use a host of your own`;
  return { reason: 'HostConflict', path: `spec.target.hosts[${index}]`, message, severity: 'error' };
}
