import type { Breathe } from '../core/breather.ts';
import type { Candidate } from './assign.ts';
import { type CompiledPolicy, type PathOptions, STRICT } from './compiled-policy.ts';

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
    return agreement;
  }

  /** undefined for a host that no policy governed: the first one that comes to it decides. */
  optionsOf(host: string): PathOptions | undefined {
    const settled = this.#settled.get(host);
    return settled && (this.#kept.has(host) ? settled.before : settled.wanted);
  }

  /**
   * Takes back what was agreed by the newest specs of these policies, which cannot serve, and so by those of whoever
   * agreed with them.
   *
   * @returns whether that changed anything
   */
  keep(stuck: readonly Candidate[]): boolean {
    const { size } = this.#kept;
    const queue = [...stuck];
    for (const candidate of queue) {
      for (const host of candidate.accepted?.target.hosts ?? []) {
        const settled = this.#settled.get(host);
        if (settled === undefined || settled.wanted === settled.before || this.#kept.has(host)) continue;
        this.#kept.add(host);
        for (const holder of this.#holders.get(host) ?? []) queue.push(holder.candidate);
      }
    }
    return this.#kept.size > size;
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

const servedBefore = ({ accepted, isRestored }: Candidate): CompiledPolicy | undefined =>
  isRestored ? undefined : accepted;

/** What served before this process began, as status tells it. */
function recordedBefore({ newest, accepted, isRestored, isRecordedNewest }: Candidate): CompiledPolicy | undefined {
  if (accepted !== undefined) return isRestored ? accepted : undefined;
  return isRecordedNewest ? newest : undefined;
}

function settle(host: string, holders: readonly Holder[]): Settled {
  const [first, ...others] = holders.map(({ candidate: { newest }, held }) =>
    newest?.target.hosts.includes(host) ? newest.target.pathOptions : held.target.pathOptions,
  );
  const before = holders[0]?.held.target.pathOptions ?? STRICT;
  const isAgreed = first !== undefined && others.every((options) => isSameOptions(options, first));
  return { before, wanted: isAgreed && !isSameOptions(first, before) ? first : before };
}
