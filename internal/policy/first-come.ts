import type { Problem } from '../core/problem.ts';
import type { Candidate } from './assign.ts';
import { type Claim, type Claiming, NO_CLAIM, type Place } from './claiming.ts';
import { HostClaims } from './claims.ts';

/** A host, with all under its wildcard, belongs to the one namespace that claimed it first. */
export class FirstCome implements Claiming {
  readonly #claims = new HostClaims();

  hold(claim: Claim, candidate: Candidate): void {
    this.take(claim, candidate);
  }

  /** Hosts one by one: a host that the policy asks for besides is a new claim. */
  holdRecorded(candidate: Candidate): void {
    const { accepted, claimed, recordedHosts } = candidate;
    if (recordedHosts.size === 0) return;
    const asked = [...(accepted?.target.hosts ?? NO_CLAIM.hosts), ...claimed.hosts];
    this.take({ ...NO_CLAIM, hosts: asked.filter((host) => recordedHosts.has(host)) }, candidate);
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

  lapsedOf(): undefined {
    return undefined;
  }
}

function hostConflict(index: number, host: string): Problem {
  const message = `"${host}" overlaps a host that another namespace holds: use a host of your own`;
  return { reason: 'HostConflict', path: `spec.target.hosts[${index}]`, message, severity: 'error' };
}
