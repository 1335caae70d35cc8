import type { Breathe } from '../core/breather.ts';
import type { Candidate } from './assign.ts';
import { type CompiledPolicy, type PathOptions, STRICT, type Target } from './compiled-policy.ts';

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

/**
 * How the paths of each host are read that a policy governed before. Its holders settle it, and nobody else: who comes
 * to the host later agrees with them. They change it only together, all by their newest specs; where one of those
 * cannot serve for another reason, all stay as they are.
 */
export class PathAgreement {
  /** By host, older first. */
  readonly #holders = new Map<string, Holder[]>();
  readonly #settled = new Map<string, Settled>();
  /** By host that changes: policies whose newest specs cannot serve unless it does. */
  readonly #changing = new Map<string, Candidate[]>();
  /** Hosts that are not changed after all. */
  readonly #kept = new Set<string>();

  /**
   * @param byAge sorted by `compareAge`
   * @param breathe awaited between policies
   */
  static async of(byAge: readonly Candidate[], breathe: Breathe): Promise<PathAgreement> {
    const agreement = new PathAgreement();
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      agreement.#add(candidate, servedBefore(candidate));
    }
    const served = new Set(agreement.#holders.keys());
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      const isRecorded = (host: string): boolean => candidate.recordedHosts.has(host) && !served.has(host);
      agreement.#add(candidate, recordedBefore(candidate), isRecorded);
    }
    for (const [host, holders] of agreement.#holders) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      agreement.#settled.set(host, settle(host, holders));
    }
    for (const candidate of byAge) {
      const pause = breathe();
      if (pause !== undefined) await pause;
      if (candidate.newest !== undefined) agreement.#addChanging(candidate, candidate.newest.target);
    }
    return agreement;
  }

  /** undefined for a host that no policy governed: the first one that comes to it decides. */
  optionsOf(host: string): PathOptions | undefined {
    const settled = this.#settled.get(host);
    return settled && (this.#kept.has(host) ? settled.before : settled.wanted);
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
        const settled = this.#settled.get(host);
        if (!isChanged(settled) || this.#kept.has(host)) continue;
        this.#kept.add(host);
        namespaces.add(candidate.meta.namespace);
        for (const { candidate: holder } of this.#holders.get(host) ?? []) queue.add(holder);
        for (const refused of this.#changing.get(host) ?? []) queue.add(refused);
      }
    }
    return namespaces;
  }

  #addChanging(candidate: Candidate, { hosts, pathOptions }: Target): void {
    for (const host of hosts) {
      const settled = this.#settled.get(host);
      if (!isChanged(settled) || isSameOptions(pathOptions, settled.before)) continue;
      const changing = this.#changing.get(host);
      if (changing === undefined) this.#changing.set(host, [candidate]);
      else changing.push(candidate);
    }
  }

  #add(candidate: Candidate, held: CompiledPolicy | undefined, isHeld = (_host: string) => true): void {
    if (held === undefined) return;
    for (const host of held.target.hosts) {
      if (!isHeld(host)) continue;
      const holders = this.#holders.get(host);
      if (holders === undefined) this.#holders.set(host, [{ candidate, held }]);
      else holders.push({ candidate, held });
    }
  }
}

export const isSameOptions = (a: PathOptions, b: PathOptions): boolean =>
  a.encodedSlash === b.encodedSlash && a.semicolon === b.semicolon && a.caseInsensitive === b.caseInsensitive;

const isChanged = (settled: Settled | undefined): settled is Settled =>
  settled !== undefined && settled.wanted !== settled.before;

const servedBefore = ({ accepted, isRestored }: Candidate): CompiledPolicy | undefined =>
  isRestored ? undefined : accepted;

/** What served before this process began, as status tells it. */
function recordedBefore({ newest, accepted, isRestored, isRecordedNewest }: Candidate): CompiledPolicy | undefined {
  if (accepted !== undefined) return isRestored ? accepted : undefined;
  return isRecordedNewest ? newest : undefined;
}

/**
 * Who served together agreed. Where statuses tell of several readings, one of them is forged: whichever it is, it makes
 * nobody's paths be read with more leniency than its own policy asked for.
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
