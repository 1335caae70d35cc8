import type { Problem } from '../core/problem.ts';
import type { PathTemplate } from '../match/path-template.ts';
import type { Candidate } from './assign.ts';
import { type Claim, type Claiming, type Lapsed, NO_CLAIM, type Place } from './claiming.ts';
import { suffixesOf } from './claims.ts';
import type { HostGrants, Part } from './host-grants.ts';
import { recordedClaim } from './lapsed-claims.ts';
import { PartClaims } from './part-claims.ts';

/** Hosts times paths times labels that one policy may claim where others have to be compared with it. */
const MAX_PAIRS = 40_000;
/** Nodes of other claims that one policy may have looked at; then it is taken to be in somebody's way. */
const MAX_LOOKS = 20_000;

type Verdict = { readonly part: Part } | 'HostNotGranted' | 'HostConflict';

/** A claim is a host with a path, and counts where a grant gives it: in each part the first recorded claim holds. */
export class GrantedClaims implements Claiming {
  readonly #grants: HostGrants;
  readonly #lapsed: ReadonlyMap<Candidate, Lapsed>;
  readonly #claims = new Map<Part, PartClaims>();

  /** @param lapsed what policies held by grants that are gone, already taken out of `grants` */
  constructor(grants: HostGrants, lapsed: ReadonlyMap<Candidate, Lapsed>) {
    this.#grants = grants;
    this.#lapsed = lapsed;
  }

  recordedOf(candidate: Candidate): Claim {
    return recordedClaim(candidate) ?? NO_CLAIM;
  }

  lapsedOf(candidate: Candidate): Lapsed | undefined {
    return this.#lapsed.get(candidate);
  }

  problemsOf(claim: Claim, candidate: Candidate): readonly Problem[] {
    const tooMany = tooManyPairs(claim);
    if (tooMany !== undefined) return [tooMany];
    const looks = { left: MAX_LOOKS };
    const problems: Problem[] = [];
    for (const [index, host] of claim.hosts.entries()) {
      for (const template of claim.templates) {
        const verdict = this.#judge({ host, template, candidate, looks });
        if (typeof verdict !== 'string') continue;
        const path = `spec.target.hosts[${index}]`;
        problems.push({ reason: verdict, path, message: WORDS[verdict](host, template.source), severity: 'error' });
        break;
      }
    }
    return problems;
  }

  take(claim: Claim, candidate: Candidate): readonly Place[] {
    if (tooManyPairs(claim) !== undefined) return [];
    const looks = { left: MAX_LOOKS };
    const places: Place[] = [];
    for (const host of claim.hosts) {
      const byPart = new Map<Part, PathTemplate[]>();
      for (const template of claim.templates) {
        const verdict = this.#judge({ host, template, candidate, looks });
        if (typeof verdict === 'string') continue;
        const { part } = verdict;
        this.#claimsOf(part).add(host, template, candidate.meta.namespace);
        const templates = byPart.get(part);
        if (templates === undefined) byPart.set(part, [template]);
        else templates.push(template);
      }
      for (const [part, templates] of byPart) places.push({ host, templates, part });
    }
    return places;
  }

  #judge({ host, template, candidate, looks }: Pair): Verdict {
    const { namespace } = candidate.meta;
    const part = this.#grants.grantedFor(host, template);
    if (part?.selects(namespace) !== true) return 'HostNotGranted';
    if (this.#grants.isLapsed(host, template)) return 'HostConflict';
    const isInTheWay = this.#claims.get(part)?.isInTheWay(host, template, { namespace, looks });
    return isInTheWay === true ? 'HostConflict' : { part };
  }

  #claimsOf(part: Part): PartClaims {
    let claims = this.#claims.get(part);
    if (claims === undefined) {
      claims = new PartClaims();
      this.#claims.set(part, claims);
    }
    return claims;
  }
}

interface Pair {
  readonly host: string;
  readonly template: PathTemplate;
  readonly candidate: Candidate;
  readonly looks: { left: number };
}

/** Neither tells whose it is. */
const WORDS = {
  HostNotGranted: (host: string, path: string) =>
    `No HostGrant gives "${path}" of "${host}" to this namespace: ask the platform for one with hosts: ["${host}"], paths: ["${path}"] that selects it, or claim less`,
  HostConflict: (host: string, path: string) =>
    `"${path}" of "${host}" overlaps what another namespace holds: use hosts or paths of your own`,
} as const;

/** Of each policy by itself, whatever others claim: so no other can bring it about. */
function tooManyPairs({ hosts, templates }: Claim): Problem | undefined {
  let labels = 0;
  for (const host of hosts) labels += suffixesOf(host).length + 1;
  const count = labels * templates.length;
  if (count <= MAX_PAIRS) return undefined;
  const message = `The labels of its hosts times its paths are ${count}, and at most ${MAX_PAIRS} are compared with others: make two policies of it`;
  return { reason: 'Invalid', path: 'spec.target', message, severity: 'error' };
}
