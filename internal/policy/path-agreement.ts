import type { Breathe } from '../core/breather.ts';
import type { Candidate } from './assign.ts';
import type { Claiming } from './claiming.ts';
import { type CompiledPolicy, type PathOptions, STRICT, type Target } from './compiled-policy.ts';
import { recordedBefore } from './recorded-before.ts';

/** A policy that governed a host before, and the spec that it did it by. */
interface Holder {
  readonly candidate: Candidate;
  readonly held: CompiledPolicy;
}

interface Settled {
  /** What the paths of the host were read by until now. */
  readonly before: PathOptions;
  /** What every holder's newest spec asks for, if they ask for the same; else as before. */
  readonly wanted: PathOptions;
}

export interface AgreementOptions {
  /** What grants leave: who is left nothing of a host has no say in how its paths are read. */
  readonly claims: Pick<Claiming, 'leaves'>;
  /** Awaited between policies. */
  readonly breathe: Breathe;
}

/**
 * How the paths of each host are read that a policy governed before. Its holders settle it, and nobody else: who comes
 * to the host later agrees with them. They change it only together, all by their newest specs; where one of those
 * cannot serve for another reason, all stay as they are. Where statuses tell that namespaces of one host never agreed,
 * one of them is forged: then each reads its own paths as it did, and puts nobody out.
 */
export class PathAgreement {
  /** By what is settled together (`#keyOf`), older first. */
  readonly #holders = new Map<string, Holder[]>();
  readonly #settled = new Map<string, Settled>();
  /** Hosts whose namespaces each settle it for themselves. */
  readonly #apart = new Set<string>();
  /** By what changes: policies whose newest specs cannot serve unless it does. */
  readonly #changing = new Map<string, Candidate[]>();
  /** What is not changed after all. */
  readonly #kept = new Set<string>();

  /** @param byAge sorted by `compareAge` */
  static async of(byAge: readonly Candidate[], { claims, breathe }: AgreementOptions): Promise<PathAgreement> {
    const agreement = new PathAgreement();
    const add = (candidate: Candidate, held: CompiledPolicy | undefined, isHeld: (host: string) => boolean): void => {
      for (const host of held?.target.hosts ?? [])
        if (held && isHeld(host) && claims.leaves(host, held.target, candidate))
          agreement.#add(host, { candidate, held });
    };
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      add(candidate, servedBefore(candidate), () => true);
    }
    const served = new Set(agreement.#holders.keys());
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const { recordedHosts } = candidate;
      add(candidate, recordedBefore(candidate), (host) => recordedHosts.has(host) && !served.has(host));
    }
    for (const [host, holders] of [...agreement.#holders]) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      agreement.#settle(host, holders);
    }
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      if (candidate.newest !== undefined) agreement.#addChanging(candidate, candidate.newest.target);
    }
    return agreement;
  }

  /** undefined for a host that no policy governed: the first one that comes to it decides. */
  optionsOf(host: string, namespace: string): PathOptions | undefined {
    const key = this.#keyOf(host, namespace);
    const settled = this.#settled.get(key);
    return settled && (this.#kept.has(key) ? settled.before : settled.wanted);
  }

  #keyOf(host: string, namespace: string): string {
    if (!this.#apart.has(host)) return host;
    const own = ownKey(host, namespace);
    return this.#settled.has(own) ? own : host;
  }

  /**
   * Takes back what was agreed by the newest specs of these policies, which cannot serve, and so by those of whoever
   * agreed with them, or asks for the same host with options that it will not have: however long such a chain is, it is
   * followed to its end here, and each host of it is looked at once.
   *
   * @returns namespaces in which that changed anything
   */
  async keep(stuck: Iterable<Candidate>, breathe: Breathe): Promise<ReadonlySet<string>> {
    const namespaces = new Set<string>();
    // A set goes on to what is added while it is walked.
    const queue = new Set(stuck);
    for (const candidate of queue) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      for (const host of candidate.accepted?.target.hosts ?? []) {
        const key = this.#keyOf(host, candidate.meta.namespace);
        const settled = this.#settled.get(key);
        if (!isChanged(settled) || this.#kept.has(key)) continue;
        this.#kept.add(key);
        namespaces.add(candidate.meta.namespace);
        for (const { candidate: holder } of this.#holders.get(key) ?? []) queue.add(holder);
        for (const refused of this.#changing.get(key) ?? []) queue.add(refused);
      }
    }
    return namespaces;
  }

  #addChanging(candidate: Candidate, { hosts, pathOptions }: Target): void {
    for (const host of hosts) {
      const key = this.#keyOf(host, candidate.meta.namespace);
      const settled = this.#settled.get(key);
      if (!isChanged(settled) || isSameOptions(pathOptions, settled.before)) continue;
      const changing = this.#changing.get(key);
      if (changing === undefined) this.#changing.set(key, [candidate]);
      else changing.push(candidate);
    }
  }

  #add(key: string, holder: Holder): void {
    const holders = this.#holders.get(key);
    if (holders === undefined) this.#holders.set(key, [holder]);
    else holders.push(holder);
  }

  #settle(host: string, holders: readonly Holder[]): void {
    const [first] = holders;
    if (first === undefined) return;
    const isOwn = ({ candidate }: Holder): boolean => candidate.meta.namespace === first.candidate.meta.namespace;
    const isAgreed = ({ held }: Holder): boolean =>
      isSameOptions(held.target.pathOptions, first.held.target.pathOptions);
    if (holders.every(isOwn) || holders.every(isAgreed)) {
      this.#settled.set(host, settle(host, holders));
      return;
    }
    this.#apart.add(host);
    this.#holders.delete(host);
    for (const holder of holders) this.#add(ownKey(host, holder.candidate.meta.namespace), holder);
    for (const namespace of new Set(holders.map(({ candidate }) => candidate.meta.namespace))) {
      const key = ownKey(host, namespace);
      this.#settled.set(key, settle(host, this.#holders.get(key) ?? []));
    }
    // Whoever comes besides agrees with all of them, as far as one can.
    const strictest = strictestOf(holders.map(({ held }) => held.target.pathOptions));
    this.#settled.set(host, { before: strictest, wanted: strictest });
  }
}

/** No host, and no other namespace's. */
const ownKey = (host: string, namespace: string): string => `${host} of ${namespace}`;

export const isSameOptions = (a: PathOptions, b: PathOptions): boolean =>
  a.encodedSlash === b.encodedSlash && a.semicolon === b.semicolon && a.caseInsensitive === b.caseInsensitive;

const isChanged = (settled: Settled | undefined): settled is Settled =>
  settled !== undefined && settled.wanted !== settled.before;

const servedBefore = ({ accepted, isRestored }: Candidate): CompiledPolicy | undefined =>
  isRestored ? undefined : accepted;

/**
 * Who served together agreed. Where statuses of one namespace tell of several readings, one of them is forged: whichever
 * it is, it makes no paths be read with more leniency than their own policy asked for.
 */
function strictestOf([first = STRICT, ...others]: readonly PathOptions[]): PathOptions {
  if (others.every((options) => isSameOptions(options, first))) return first;
  const all = [first, ...others];
  const isKept = (of: (options: PathOptions) => 'Keep' | 'Refuse') => all.every((options) => of(options) === 'Keep');
  return Object.freeze({
    encodedSlash: isKept(({ encodedSlash }) => encodedSlash) ? 'Keep' : 'Refuse',
    semicolon: isKept(({ semicolon }) => semicolon) ? 'Keep' : 'Refuse',
    caseInsensitive: all.every(({ caseInsensitive }) => caseInsensitive),
  });
}

function settle(host: string, holders: readonly Holder[]): Settled {
  const [first, ...others] = holders.map(({ candidate: { newest }, held }) =>
    newest?.target.hosts.includes(host) ? newest.target.pathOptions : held.target.pathOptions,
  );
  const before = strictestOf(holders.map(({ held }) => held.target.pathOptions));
  const isAgreed = first !== undefined && others.every((options) => isSameOptions(options, first));
  return { before, wanted: isAgreed && !isSameOptions(first, before) ? first : before };
}
